// A MediaRecorder that reports its chunks, duration and end.

/** Bits a second: 720p that still looks well after the server made its qualities from it. */
const VIDEO_BITS = 4_000_000;
const AUDIO_BITS = 128_000;
/** Milliseconds between key frames at most: MP4 is written from one to the next, and what is not written is not uploaded. */
const KEY_FRAMES = 1_000;
/** Milliseconds of one chunk, and between two words about the length. */
const PIECE = 1_000;
const TICK = 250;

export interface RecorderEvents {
  chunk(chunk: Blob): void;
  tick(seconds: number): void;
  /** It has ended, by `stop` or by itself; all chunks have come. */
  ended(seconds: number): void;
}

export class Recorder {
  readonly #recorder: MediaRecorder;
  readonly #timer: ReturnType<typeof setInterval>;
  /** Milliseconds before `#since`, and when it last went on; null while it pauses. */
  #before = 0;
  #since: number | null = null;

  /** Begins at once. Throws where the browser records no such stream. */
  constructor(stream: MediaStream, type: string, events: RecorderEvents) {
    const options = { mimeType: type, videoBitsPerSecond: VIDEO_BITS, audioBitsPerSecond: AUDIO_BITS, videoKeyFrameIntervalDuration: KEY_FRAMES };
    this.#recorder = new MediaRecorder(stream, options);
    this.#recorder.ondataavailable = ({ data }) => {
      if (data.size > 0) events.chunk(data);
    };
    this.#recorder.onstop = () => {
      clearInterval(this.#timer);
      this.#hold();
      events.ended(this.seconds);
    };
    // Its own end follows an error, with what there is until then.
    this.#recorder.onerror = () => this.stop();
    this.#recorder.onstart = () => (this.#since ??= performance.now());
    this.#timer = setInterval(() => events.tick(this.seconds), TICK);
    this.#recorder.start(PIECE);
  }

  /** Recorded so far, without the pauses. */
  get seconds(): number {
    return (this.#before + (this.#since === null ? 0 : performance.now() - this.#since)) / 1000;
  }

  pause(): void {
    if (this.#recorder.state !== 'recording') return;
    this.#recorder.pause();
    this.#hold();
  }

  resume(): void {
    if (this.#recorder.state !== 'paused') return;
    this.#recorder.resume();
    this.#since = performance.now();
  }

  stop(): void {
    if (this.#recorder.state !== 'inactive') this.#recorder.stop();
  }

  #hold(): void {
    this.#before = this.seconds * 1000;
    this.#since = null;
  }
}
