// One recording, or chosen file, from the camera to the room; it lives on while its view is closed.
import type { Server } from '../api/server';
import { extensionOf } from '../core/recording/file';
import { NOTHING, type Recording, type Source, type Trim } from '../core/recording/model';
import { reduce, type Action } from '../core/recording/state';
import { isFull, isKept, statusOf, wouldLose } from '../core/recording/status';
import { Store } from '../core/store';
import type { MatrixClient } from '../matrix/client';
import type { Messenger } from '../matrix/messenger';
import { keepOnScreen } from '../matrix/on-screen';
import { Capture } from './capture';
import { recordingType } from './devices';
import { recordingStatus } from './status';
import { Recorder } from './recorder';
import { Submission, SubmissionFailed } from './submission';
import { fetchLimits } from './tus';
import { UploadBuffer } from './upload-buffer';

/** What of the visit a recording needs. */
export interface RecordingContext {
  readonly server: Server | null;
  readonly client: MatrixClient | null;
  readonly messenger: Messenger | null;
  readonly player: Store<{ pause(): void } | null>;
  refresh(): Promise<void>;
}

/** Seconds that are counted down. */
const COUNT = 3;

export class RecordingSession {
  readonly state = new Store<Recording>(NOTHING);
  readonly capture: Capture;
  /** The URL of what is being reviewed, for a video element. */
  readonly preview = new Store<string | null>(null);
  readonly #submission: Submission;
  #recorder: Recorder | null = null;
  #counting: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly context: RecordingContext) {
    const dispatch = (action: Action): void => this.#dispatch(action);
    this.capture = new Capture(this.state, dispatch, () => this.#captureEnded());
    this.#submission = new Submission(() => context.server, this.state, dispatch);
    window.addEventListener('beforeunload', (event) => {
      if (wouldLose(this.state.get())) event.preventDefault();
    });
    // What is in memory goes with the page: the server need not keep its part.
    window.addEventListener('pagehide', ({ persisted }) => {
      if (!persisted) this.#submission.discardUpload();
    });
    this.state.subscribe(() => {
      recordingStatus.set(statusOf(this.state.get()));
      if (this.state.get().phase === 'recording' && isFull(this.state.get())) this.stop();
    });
    void this.#fetchLimits();
  }

  /** Shows the camera or requests a screen. */
  async open(source: Source): Promise<void> {
    this.#dispatch({ type: 'open', source });
    if (this.state.get().phase !== 'opening') return;
    this.#release();
    this.context.player.get()?.pause();
    void this.#fetchLimits();
    await this.capture.open(source);
  }

  /** Counts down and records; without counting at once. `name` is the file's, without an extension. */
  start(name: string, counting: boolean): void {
    const { phase } = this.state.get();
    if ((phase !== 'live' && phase !== 'counting') || this.capture.current.get()?.stream.active !== true) return;
    if (phase === 'counting' || !counting) return this.#record(name);
    this.context.player.get()?.pause();
    this.#count(COUNT, name);
  }

  /** Stops counting down. */
  hold(): void {
    clearTimeout(this.#counting);
    if (this.state.get().phase === 'counting') this.#dispatch({ type: 'live' });
  }

  pause(): void {
    this.#recorder?.pause();
    this.#dispatch({ type: 'pause' });
  }

  resume(): void {
    this.#recorder?.resume();
    this.#dispatch({ type: 'resume' });
  }

  stop(): void {
    this.#recorder?.stop();
  }

  /** Sending needs a permission for which the page loads anew: what is here by then would be lost. */
  get needsPermission(): boolean {
    const { messenger } = this.context;
    return messenger !== null && messenger.permissions.reloads && !messenger.permissions.granted.get().has('sendVideo');
  }

  /** Takes a file instead of a recording. */
  take(file: File): void {
    if (wouldLose(this.state.get()) || this.state.get().phase === 'sending') return this.#dispatch({ type: 'problem', problem: 'kept' });
    if (this.needsPermission) return this.#dispatch({ type: 'problem', problem: 'permission' });
    this.#dispatch({ type: 'chose', name: file.name, mimetype: file.type, size: file.size });
    const { phase, problem } = this.state.get();
    this.#release();
    if (phase !== 'review' || problem !== null) return;
    this.#drop();
    this.context.player.get()?.pause();
    const buffer = new UploadBuffer(file.type || 'application/octet-stream');
    buffer.push(file);
    buffer.end();
    this.preview.set(URL.createObjectURL(file));
    void this.#fetchLimits();
    this.#submission.begin(buffer);
    this.#stayOnScreen(true);
  }

  /** The file's duration, in seconds, as the browser found it. */
  measured(duration: number): void {
    if (Number.isFinite(duration) && duration > 0 && this.state.get().take?.duration == null) this.#dispatch({ type: 'measured', duration });
  }

  trim(edge: keyof Trim, at: number): void {
    this.#dispatch({ type: 'trim', edge, at });
  }

  caption(text: string): void {
    this.#dispatch({ type: 'caption', text });
  }

  /** Uploads the rest, has it prepared and posts it; goes on where an earlier try failed. */
  async send(): Promise<void> {
    const { server, messenger } = this.context;
    if (server === null || messenger === null) return;
    this.#dispatch({ type: 'send' });
    if (this.state.get().phase !== 'sending') return;
    // Whoever presses the button is there to decide; by the end of a long upload they may have gone.
    const allowed = messenger.hosts.maySend('m.room.message') ? messenger.permissions.ask('sendVideo') : Promise.resolve(false);
    try {
      const posted = await this.#submission.send(server, messenger, allowed);
      this.#drop();
      this.#dispatch({ type: 'posted', ...posted });
      this.#stayOnScreen(false);
      void this.context.refresh();
    } catch (error) {
      // Stopped by the viewer.
      if (!(error instanceof SubmissionFailed)) return;
      const { failure } = error;
      // The room may have another limit since; with the new one it can be trimmed.
      if (failure.code === 'too-long') await this.#fetchLimits();
      this.#dispatch({ type: 'failed', failure });
    }
  }

  /** Back to trim and caption; the upload goes on. */
  edit(): void {
    this.#submission.stop();
    this.#dispatch({ type: 'edit' });
  }

  discard(): void {
    this.#submission.stop();
    this.#recorder?.stop();
    this.#recorder = null;
    this.#release();
    this.#submission.discardUpload();
    this.#drop();
    this.#dispatch({ type: 'discard' });
    this.#stayOnScreen(false);
  }

  /** The view is closed: what is kept goes on, a camera that is only looked through is released. */
  close(): void {
    this.hold();
    this.#dispatch({ type: 'close' });
    if (!isKept(this.state.get())) this.#release();
  }

  /** Moderators may change what the room takes. */
  async #fetchLimits(): Promise<void> {
    const { server } = this.context;
    const limits = server && (await fetchLimits(server));
    if (limits !== null) this.#dispatch({ type: 'limits', limits });
  }

  #captureEnded(): void {
    if (this.#recorder !== null) return this.stop();
    this.hold();
    this.#release();
    this.#dispatch(this.state.get().source === 'camera' ? { type: 'problem', problem: 'missing' } : { type: 'discard' });
  }

  #count(left: number, name: string): void {
    this.#dispatch({ type: 'count', left });
    this.#counting = setTimeout(() => (left > 1 ? this.#count(left - 1, name) : this.#record(name)), 1000);
  }

  #record(name: string): void {
    clearTimeout(this.#counting);
    const type = recordingType();
    const tracks = type === null ? null : this.capture.tracks();
    if (type === null || tracks === null) return;
    const buffer = new UploadBuffer(type);
    try {
      this.#recorder = new Recorder(new MediaStream(tracks), type, {
        chunk: (chunk) => {
          buffer.push(chunk);
          this.#recorded(buffer);
        },
        tick: () => this.#recorded(buffer),
        ended: (seconds) => this.#recorderEnded(buffer, seconds),
      });
    } catch (error) {
      console.error('This stream cannot be recorded:', error);
      this.#release();
      return this.#dispatch({ type: 'problem', problem: 'broken' });
    }
    this.context.player.get()?.pause();
    this.#drop();
    this.#dispatch({ type: 'begin', name: `${name}.${extensionOf(type)}`, mimetype: type });
    this.#submission.begin(buffer);
    // A client that takes the frame away would take the recording with it.
    this.#stayOnScreen(true);
  }

  #recorded(buffer: UploadBuffer): void {
    if (buffer === this.#submission.buffer) this.#dispatch({ type: 'recorded', size: buffer.size, duration: this.#recorder?.seconds ?? 0 });
  }

  #recorderEnded(buffer: UploadBuffer, seconds: number): void {
    buffer.end();
    if (buffer !== this.#submission.buffer) return;
    this.#recorded(buffer);
    this.#recorder = null;
    this.#release();
    if (buffer.size > 0) this.preview.set(URL.createObjectURL(buffer.whole()));
    else this.#submission.discardUpload();
    this.#dispatch({ type: 'stopped', duration: seconds });
  }

  /** Lets go of the take. */
  #drop(): void {
    const url = this.preview.get();
    if (url !== null) URL.revokeObjectURL(url);
    this.preview.set(null);
    this.#submission.drop();
  }

  #release(): void {
    clearTimeout(this.#counting);
    this.capture.release();
  }

  #stayOnScreen(on: boolean): void {
    const { client } = this.context;
    if (client?.permissions.has('stayOnScreen') === true) keepOnScreen(client, 'recording', on);
  }

  #dispatch(action: Action): void {
    this.state.set(reduce(this.state.get(), action));
  }
}

const sessions = new WeakMap<RecordingContext, RecordingSession>();

/** The visit's one recording session. */
export function recordingSessionOf(visit: RecordingContext): RecordingSession {
  const session = sessions.get(visit) ?? new RecordingSession(visit);
  sessions.set(visit, session);
  return session;
}
