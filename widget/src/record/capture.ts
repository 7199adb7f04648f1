// The camera, microphone or screen that is to be recorded: opens them, changes them, and lets go of them.
import type { Action } from '../core/recording/state';
import type { Problem, Recording, Source } from '../core/recording/model';
import { Store } from '../core/store';
import { ANY, isCancelled, isMirror, listDevices, obstacle, openCamera, openMicrophone, openScreen, problemOf, type DeviceChoice, type Devices } from './devices';
import { mix } from './mix-audio';

/** What is captured now, and what else there is to choose. */
export interface Captured extends Devices {
  readonly stream: MediaStream;
  readonly mirrored: boolean;
  /** The ids of what is in use; null where there is none. */
  readonly camera: string | null;
  readonly microphone: string | null;
  readonly muted: boolean;
}

const NO_DEVICES: Devices = { cameras: [], microphones: [] };

export class Capture {
  readonly current = new Store<Captured | null>(null);
  #choice: DeviceChoice = ANY;
  #microphone: MediaStreamTrack | null = null;
  #closeMix: () => void = () => undefined;

  /** `onEnded`: its video ended by itself, unplugged or by the browser's own 'stop sharing'. */
  constructor(
    private readonly state: Store<Recording>,
    private readonly dispatch: (action: Action) => void,
    private readonly onEnded: () => void,
  ) {}

  /** Shows the camera or requests a screen; `current` and the state say what came of it. */
  async open(source: Source): Promise<void> {
    const problem = obstacle(source);
    if (problem !== null) { this.dispatch({ type: 'problem', problem }); return; }
    try {
      await this.#show(source === 'camera' ? await this.#openCamera() : await openScreen());
    } catch (error) {
      this.release();
      // Whoever closes the choice of screens knows it already.
      this.dispatch(source === 'screen' && isCancelled(error) ? { type: 'discard' } : { type: 'problem', problem: problemOf(error) });
    }
  }

  /** Takes another camera or microphone, while nothing is recorded yet. */
  async choose(choice: Partial<DeviceChoice>): Promise<void> {
    this.#choice = { ...this.#choice, ...choice };
    if (this.state.get().phase !== 'live') return;
    if (this.state.get().source === 'camera') return this.#switchCamera();
    if (choice.microphone !== undefined) await this.useMicrophone(true);
  }

  /** The other side of a phone. */
  flip(): Promise<void> {
    return this.choose({ camera: null, facing: this.#choice.facing === 'user' ? 'environment' : 'user' });
  }

  /** With a screen: the microphone beside its audio, or not. */
  async useMicrophone(on: boolean): Promise<void> {
    this.#microphone?.stop();
    this.#microphone = null;
    const stream = on ? await openMicrophone(this.#choice.microphone) : null;
    this.#microphone = stream?.getAudioTracks()[0] ?? null;
    const current = this.current.get();
    if (current === null) { this.#microphone?.stop(); return; }
    this.current.set({ ...current, ...(await listDevices()), microphone: idOf(this.#microphone), muted: false });
    const problem: Problem | null = on && this.#microphone === null ? 'denied' : null;
    this.dispatch({ type: 'problem', problem });
  }

  setMuted(muted: boolean): void {
    const current = this.current.get();
    if (current === null || this.#microphone === null) return;
    this.#microphone.enabled = !muted;
    this.current.set({ ...current, muted });
  }

  /** The tracks to record, with all audio in one; null while nothing is captured. */
  tracks(): MediaStreamTrack[] | null {
    const current = this.current.get();
    if (current === null) return null;
    const beside = this.state.get().source === 'screen' && this.#microphone !== null ? [this.#microphone] : [];
    const audio = mix([...current.stream.getAudioTracks(), ...beside]);
    this.#closeMix = audio?.close ?? (() => undefined);
    return [...current.stream.getVideoTracks(), ...(audio === null ? [] : [audio.track])];
  }

  /** Lets go of camera, microphone and screen. */
  release(): void {
    const current = this.current.get();
    this.current.set(null);
    if (current !== null) stopTracks(current.stream);
    this.#microphone?.stop();
    this.#microphone = null;
    this.#closeMix();
    this.#closeMix = () => undefined;
  }

  /** Phones open one camera at a time: the old one is closed before the new one is opened. */
  async #switchCamera(): Promise<void> {
    const before = this.current.get();
    if (before !== null) stopTracks(before.stream);
    const choice = this.#choice;
    try {
      const stream = await this.#openCamera();
      // Chosen again meanwhile, or closed.
      if (this.current.get() !== before || (choice !== this.#choice && this.#choice !== ANY)) stopTracks(stream);
      else await this.#show(stream);
    } catch (error) {
      this.release();
      this.dispatch({ type: 'problem', problem: problemOf(error) });
    }
  }

  async #openCamera(): Promise<MediaStream> {
    try {
      return await openCamera(this.#choice);
    } catch (error) {
      // The chosen one may have been unplugged.
      if (this.#choice === ANY || problemOf(error) !== 'missing') throw error;
      this.#choice = ANY;
      return openCamera(ANY);
    }
  }

  async #show(stream: MediaStream): Promise<void> {
    const [video] = stream.getVideoTracks();
    const { source, phase } = this.state.get();
    if (phase !== 'opening' && phase !== 'live') { stopTracks(stream); return; }
    this.#microphone = source === 'camera' ? stream.getAudioTracks()[0] ?? null : null;
    video?.addEventListener('ended', () => this.current.get()?.stream === stream && this.onEnded());
    // Known devices stay in the list until it is read again.
    const { cameras, microphones } = this.current.get() ?? NO_DEVICES;
    const camera = source === 'camera' ? idOf(video) : null;
    this.current.set({ cameras, microphones, stream, mirrored: source === 'camera' && isMirror(video), camera, microphone: idOf(this.#microphone), muted: false });
    this.dispatch({ type: 'live' });
    const devices = await listDevices();
    const now = this.current.get();
    if (now?.stream === stream) this.current.set({ ...now, ...devices });
  }
}

function stopTracks(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

function idOf(track: MediaStreamTrack | null | undefined): string | null {
  return track?.getSettings().deviceId ?? null;
}
