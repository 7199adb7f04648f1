// Where one take is recorded or chosen, uploaded and sent; it lives on while its view is closed.
import type { Server } from '../api/server';
import { endingOf } from '../core/recording/file';
import { NOTHING, type Problem, type Recording, type Source, type Trim } from '../core/recording/model';
import { reduce, type Action } from '../core/recording/state';
import { isFull, isKept, markOf, wouldLose } from '../core/recording/status';
import { wishOf } from '../core/recording/trim';
import { withCaption } from '../core/recording/upload';
import { withNonce } from '../core/nonce';
import { Store } from '../core/store';
import type { MatrixClient } from '../matrix/client';
import { SeveralHosts, type Messenger } from '../matrix/messenger';
import { newNonce } from '../browser/nonce';
import { keepInSight } from '../matrix/on-screen';
import { failureOf, Gone, post, prepare, type Delivery, type DeliveryEvents } from './delivery';
import { ANY, isCancelled, isMirror, listDevices, obstacle, openCamera, openMicrophone, openScreen, problemOf, recordingType, type Devices, type Wish } from './devices';
import { recordingMark } from './mark';
import { Recorder } from './recorder';
import { mix } from './mix-audio';
import { Spool } from './upload-buffer';
import { fetchLimits, TusUpload } from './tus';

/** What of the visit a recording needs. */
export interface RecordingContext {
  readonly server: Server | null;
  readonly client: MatrixClient | null;
  readonly messenger: Messenger | null;
  readonly player: Store<{ pause(): void } | null>;
  refresh(): Promise<void>;
}

/** What the camera or the screen shows now. */
export interface Live extends Devices {
  readonly stream: MediaStream;
  readonly mirrored: boolean;
  /** The ids of what is in use; null where there is none. */
  readonly camera: string | null;
  readonly microphone: string | null;
  readonly muted: boolean;
}

const NO_DEVICES: Devices = { cameras: [], microphones: [] };
const COUNT = 3;
/** Milliseconds for which it is said that the connection is back. */
const TOLD = 6_000;

export class Studio {
  readonly state = new Store<Recording>(NOTHING);
  readonly live = new Store<Live | null>(null);
  /** The address of what is being reviewed, for a video element. */
  readonly preview = new Store<string | null>(null);
  #wish: Wish = ANY;
  #sound: MediaStreamTrack | null = null;
  #recorder: Recorder | null = null;
  #closeMix: () => void = () => undefined;
  #counting: ReturnType<typeof setTimeout> | undefined;
  #spool: Spool | null = null;
  #upload: TusUpload | null = null;
  /** What the server was asked to make of the upload, and what it made. */
  #asked: string | null = null;
  #made: Delivery | null = null;
  #sending = new AbortController();

  readonly #events: DeliveryEvents = {
    percent: (percent) => this.#dispatch({ type: 'percent', percent }),
    link: (lost, busy) => this.#link(lost, busy),
  };

  constructor(private readonly visit: RecordingContext) {
    window.addEventListener('beforeunload', (event) => {
      if (wouldLose(this.state.get())) event.preventDefault();
    });
    // What is in memory goes with the page: the server need not keep its part.
    window.addEventListener('pagehide', ({ persisted }) => {
      if (!persisted) this.#upload?.discard();
    });
    this.state.subscribe(() => {
      recordingMark.set(markOf(this.state.get()));
      if (this.state.get().phase === 'recording' && isFull(this.state.get())) this.stop();
    });
    void this.#askLimits();
  }

  /** Shows the camera or asks for a screen; `state` and `live` tell what came of it. */
  async open(source: Source): Promise<void> {
    this.#dispatch({ type: 'open', source });
    if (this.state.get().phase !== 'opening') return;
    this.#release();
    this.visit.player.get()?.pause();
    void this.#askLimits();
    const problem = obstacle(source);
    if (problem !== null) { this.#dispatch({ type: 'problem', problem }); return; }
    try {
      await this.#show(source === 'camera' ? await this.#camera() : await openScreen());
    } catch (error) {
      this.#release();
      // Whoever closes the choice of screens knows it already.
      if (source === 'screen' && isCancelled(error)) this.#dispatch({ type: 'discard' });
      else this.#dispatch({ type: 'problem', problem: problemOf(error) });
    }
  }

  /** Takes another camera or microphone, while nothing is recorded yet. */
  async choose(wish: Partial<Wish>): Promise<void> {
    this.#wish = { ...this.#wish, ...wish };
    if (this.state.get().phase !== 'live') return;
    if (this.state.get().source === 'camera') return this.#switch();
    if (wish.microphone !== undefined) await this.useMicrophone(true);
  }

  /** The other side of a phone. */
  flip(): Promise<void> {
    return this.choose({ camera: null, facing: this.#wish.facing === 'user' ? 'environment' : 'user' });
  }

  /** With a screen: the microphone beside its sound, or not. */
  async useMicrophone(on: boolean): Promise<void> {
    this.#sound?.stop();
    this.#sound = null;
    const stream = on ? await openMicrophone(this.#wish.microphone) : null;
    this.#sound = stream?.getAudioTracks()[0] ?? null;
    const live = this.live.get();
    if (live === null) { this.#sound?.stop(); return; }
    this.live.set({ ...live, ...(await listDevices()), microphone: idOf(this.#sound), muted: false });
    this.#dispatch({ type: 'problem', problem: on && this.#sound === null ? 'denied' : null });
  }

  setMuted(muted: boolean): void {
    const live = this.live.get();
    if (live === null || this.#sound === null) return;
    this.#sound.enabled = !muted;
    this.live.set({ ...live, muted });
  }

  /** Counts down and records; without counting at once. `name` is the file's, without an ending. */
  start(name: string, counting: boolean): void {
    const { phase } = this.state.get();
    if ((phase !== 'live' && phase !== 'counting') || this.live.get()?.stream.active !== true) return;
    if (phase === 'counting' || !counting) return this.#begin(name);
    this.visit.player.get()?.pause();
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

  /** To send something the client has to be asked first, and the page loads anew for that: what is here by then would be lost. */
  get asksFirst(): boolean {
    const { messenger } = this.visit;
    return messenger !== null && messenger.permissions.reloads && !messenger.permissions.granted.get().has('sendVideo');
  }

  /** Takes a file instead of a recording. */
  take(file: File): void {
    if (wouldLose(this.state.get()) || this.state.get().phase === 'sending') return this.#dispatch({ type: 'problem', problem: 'kept' });
    if (this.asksFirst) return this.#dispatch({ type: 'problem', problem: 'permission' });
    this.#dispatch({ type: 'chose', name: file.name, mimetype: file.type, size: file.size });
    const { phase, problem } = this.state.get();
    this.#release();
    if (phase !== 'review' || problem !== null) return;
    this.#drop();
    this.visit.player.get()?.pause();
    this.#spool = new Spool(file.type || 'application/octet-stream');
    this.#spool.push(file);
    this.#spool.end();
    this.preview.set(URL.createObjectURL(file));
    void this.#askLimits();
    this.#beginUpload();
    this.#stayOnScreen(true);
  }

  /** The file's length as the browser found it. */
  measured(duration: number): void {
    if (Number.isFinite(duration) && duration > 0 && this.state.get().take?.duration == null) this.#dispatch({ type: 'measured', duration });
  }

  trim(edge: keyof Trim, at: number): void {
    this.#dispatch({ type: 'trim', edge, at });
  }

  caption(text: string): void {
    this.#dispatch({ type: 'caption', text });
  }

  /** Uploads the rest, has it made ready and sends it; goes on where an earlier try failed. */
  async send(): Promise<void> {
    const { visit: { server, messenger } } = this;
    if (server === null || messenger === null) return;
    this.#dispatch({ type: 'send' });
    if (this.state.get().phase !== 'sending') return;
    // Whoever presses the button is there to answer; by the end of a long upload they may have gone.
    const may = messenger.hosts.maySend('m.room.message');
    const allowed = may ? messenger.permissions.ask('sendVideo') : Promise.resolve(false);
    this.#sending = new AbortController();
    const { signal } = this.#sending;
    try {
      if (!may) throw new SeveralHosts();
      const { content, upload, audioLeftOut } = await this.#prepared(server, signal);
      signal.throwIfAborted();
      this.#dispatch({ type: 'step', step: 'post' });
      const eventId = await post(messenger, { content: withCaption(content, this.state.get().caption), upload }, allowed, this.#events, signal);
      this.#drop();
      this.#dispatch({ type: 'posted', eventId, audioLeftOut });
      this.#stayOnScreen(false);
      void this.visit.refresh();
    } catch (error) {
      if (signal.aborted) return;
      const { step } = this.state.get();
      // A later try begins with a new upload, unless only the message is missing.
      if ((step !== 'post' || error instanceof Gone) && !(error instanceof SeveralHosts)) this.#forget();
      const failure = failureOf(step, error);
      // The room may have another limit since; with the new one it can be trimmed.
      if (failure.code === 'too-long') await this.#askLimits();
      this.#dispatch({ type: 'failed', failure });
    }
  }

  /** Moderators may change what the room takes. */
  async #askLimits(): Promise<void> {
    const { server } = this.visit;
    if (server === null) return;
    const limits = await fetchLimits(server);
    if (limits !== null) this.#dispatch({ type: 'limits', limits });
  }

  /** Back to trim and caption; the upload goes on. */
  edit(): void {
    this.#sending.abort();
    this.#dispatch({ type: 'edit' });
  }

  discard(): void {
    this.#sending.abort();
    this.#recorder?.stop();
    this.#recorder = null;
    this.#release();
    this.#upload?.discard();
    this.#drop();
    this.#dispatch({ type: 'discard' });
    this.#stayOnScreen(false);
  }

  /** The view is closed: what is kept goes on, a camera that is only looked through is let go. */
  close(): void {
    this.hold();
    this.#dispatch({ type: 'close' });
    if (!isKept(this.state.get())) this.#release();
  }

  /** Phones open one camera at a time: the old picture goes before the new one comes. */
  async #switch(): Promise<void> {
    const before = this.live.get();
    if (before !== null) stop(before.stream);
    const wish = this.#wish;
    try {
      const stream = await this.#camera();
      // Chosen again meanwhile, or closed.
      if (this.live.get() !== before || (wish !== this.#wish && this.#wish !== ANY)) stop(stream);
      else await this.#show(stream);
    } catch (error) {
      this.#release();
      this.#dispatch({ type: 'problem', problem: problemOf(error) });
    }
  }

  async #camera(): Promise<MediaStream> {
    try {
      return await openCamera(this.#wish);
    } catch (error) {
      // The chosen one may have been unplugged.
      if (this.#wish === ANY || problemOf(error) !== 'missing') throw error;
      this.#wish = ANY;
      return openCamera(ANY);
    }
  }

  async #show(stream: MediaStream): Promise<void> {
    const [picture] = stream.getVideoTracks();
    const { source } = this.state.get();
    if (this.state.get().phase !== 'opening' && this.state.get().phase !== 'live') { stop(stream); return; }
    this.#sound = source === 'camera' ? stream.getAudioTracks()[0] ?? null : null;
    // Unplugged, or the browser's own 'stop sharing'.
    picture?.addEventListener('ended', () => this.#lost(stream));
    const camera = source === 'camera' ? idOf(picture) : null;
    const live = { stream, mirrored: source === 'camera' && isMirror(picture), camera, microphone: idOf(this.#sound), muted: false };
    // Known ones stay in sight until they are asked for again.
    const { cameras, microphones } = this.live.get() ?? NO_DEVICES;
    this.live.set({ cameras, microphones, ...live });
    this.#dispatch({ type: 'live' });
    const devices = await listDevices();
    const now = this.live.get();
    if (now?.stream === stream) this.live.set({ ...now, ...devices });
  }

  #lost(stream: MediaStream): void {
    if (this.live.get()?.stream !== stream) return;
    if (this.#recorder !== null) return this.stop();
    this.hold();
    this.#release();
    const problem: Problem | null = this.state.get().source === 'camera' ? 'missing' : null;
    this.#dispatch(problem === null ? { type: 'discard' } : { type: 'problem', problem });
  }

  #count(left: number, name: string): void {
    this.#dispatch({ type: 'count', left });
    this.#counting = setTimeout(() => (left > 1 ? this.#count(left - 1, name) : this.#begin(name)), 1000);
  }

  #begin(name: string): void {
    clearTimeout(this.#counting);
    const live = this.live.get();
    const type = recordingType();
    if (live === null || type === null) return;
    const sounds = [...live.stream.getAudioTracks(), ...(this.state.get().source === 'screen' && this.#sound ? [this.#sound] : [])];
    const sound = mix(sounds);
    this.#closeMix = sound?.close ?? (() => undefined);
    const spool = new Spool(type);
    try {
      this.#recorder = new Recorder(new MediaStream([...live.stream.getVideoTracks(), ...(sound ? [sound.track] : [])]), type, {
        piece: (piece) => {
          spool.push(piece);
          this.#grew(spool);
        },
        tick: () => this.#grew(spool),
        ended: (seconds) => this.#ended(spool, seconds),
      });
    } catch (error) {
      console.error('This stream cannot be recorded:', error);
      this.#release();
      return this.#dispatch({ type: 'problem', problem: 'broken' });
    }
    this.visit.player.get()?.pause();
    this.#drop();
    this.#spool = spool;
    this.#dispatch({ type: 'begin', name: `${name}.${endingOf(type)}`, mimetype: type });
    this.#beginUpload();
    // A client that takes the frame away would take the recording with it.
    this.#stayOnScreen(true);
  }

  #grew(spool: Spool): void {
    if (spool === this.#spool) this.#dispatch({ type: 'grew', size: spool.size, duration: this.#recorder?.seconds ?? 0 });
  }

  #ended(spool: Spool, seconds: number): void {
    spool.end();
    if (spool !== this.#spool) return;
    this.#grew(spool);
    this.#recorder = null;
    this.#release();
    if (spool.size > 0) this.preview.set(URL.createObjectURL(spool.whole()));
    else this.#forget();
    this.#dispatch({ type: 'stopped', duration: seconds });
  }

  #beginUpload(): TusUpload {
    const { take } = this.state.get();
    if (this.visit.server === null || this.#spool === null || take === null) throw new Error('There is nothing to upload, or nowhere to.');
    const upload = new TusUpload(this.visit.server, this.#spool, take.name, {
      sent: (bytes) => this.#dispatch({ type: 'uploaded', bytes }),
      link: (lost, busy) => this.#link(lost, busy),
    });
    this.#upload = upload;
    // Refused while it is still recorded: sending tries again, and then says so.
    upload.done.catch(() => {
      if (this.#upload === upload && this.state.get().phase !== 'sending') this.#upload = null;
    });
    return upload;
  }

  async #prepared(server: Server, signal: AbortSignal): Promise<Delivery> {
    const wish = wishOf(this.state.get());
    const asked = JSON.stringify(wish);
    if (this.#made !== null && this.#asked === asked) return this.#made;
    // The server makes one thing of an upload.
    if (this.#asked !== null && this.#asked !== asked) this.#forget();
    const id = await (this.#upload ?? this.#beginUpload()).done;
    signal.throwIfAborted();
    this.#dispatch({ type: 'step', step: 'prepare' });
    this.#asked = asked;
    const made = await prepare(server, id, wish, this.#events, signal);
    // One nonce for one video: a further try is for the same message.
    this.#made = { ...made, content: withNonce(made.content, newNonce()) };
    return this.#made;
  }

  #link(lost: boolean, busy = false): void {
    const { resumed } = this.state.get();
    this.#dispatch({ type: 'link', lost, busy });
    if (resumed || !this.state.get().resumed) return;
    setTimeout(() => this.#dispatch({ type: 'told' }), TOLD);
  }

  /** Lets go of the upload, not of what is uploaded. */
  #forget(): void {
    this.#upload?.discard();
    this.#upload = null;
    this.#asked = null;
    this.#made = null;
  }

  /** Lets go of the take. */
  #drop(): void {
    const url = this.preview.get();
    if (url !== null) URL.revokeObjectURL(url);
    this.preview.set(null);
    this.#spool = null;
    this.#upload = null;
    this.#asked = null;
    this.#made = null;
  }

  /** Lets go of camera, microphone and screen. */
  #release(): void {
    clearTimeout(this.#counting);
    const live = this.live.get();
    this.live.set(null);
    if (live !== null) stop(live.stream);
    this.#sound?.stop();
    this.#sound = null;
    this.#closeMix();
    this.#closeMix = () => undefined;
  }

  #stayOnScreen(on: boolean): void {
    const { client } = this.visit;
    if (client?.permissions.has('stayOnScreen') === true) keepInSight(client, 'recording', on);
  }

  #dispatch(action: Action): void {
    this.state.set(reduce(this.state.get(), action));
  }
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

function idOf(track: MediaStreamTrack | null | undefined): string | null {
  return track?.getSettings().deviceId ?? null;
}

const studios = new WeakMap<RecordingContext, Studio>();

/** The visit's one studio. */
export function studioOf(visit: RecordingContext): Studio {
  const studio = studios.get(visit) ?? new Studio(visit);
  studios.set(visit, studio);
  return studio;
}
