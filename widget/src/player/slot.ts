// A video element with the engine that plays on it.
import { itemAt, type Item, type Timeline } from '../core/timeline';
import type { Source } from '../core/reel-change';
import type { StartPosition } from '../core/start-position';
import type { Engine, EngineEvents, Failure, OpenEngine } from './engine';
import { reportSlowLine } from './slow-line';

/** Seconds between where a slot should start and where it may be found. */
const NEAR = 1;

export class Slot {
  readonly #engine: Engine;
  #aim: StartPosition | null;
  /** What it ended with; it plays what it still has. */
  failure: Failure | null = null;
  /** Videos for whose lowest rendition the line is too slow: a newer version may have lower ones. */
  readonly #slow = new Set<string>();
  /** Seconds; null until the items are known. */
  #start: number | null;

  /** Starts at `start`; null for the start of the reel. */
  constructor(
    readonly video: HTMLVideoElement,
    readonly source: Source,
    open: OpenEngine,
    start: StartPosition | null,
    renew: (url: string) => string,
    events: Omit<EngineEvents, 'slow'>,
  ) {
    this.#aim = start;
    this.#start = start === null ? 0 : null;
    const decide = (timeline: Timeline): number => (this.#start = this.#aim?.(timeline) ?? 0);
    const slow = (videoId: string): void => {
      this.#slow.add(videoId);
      reportSlowLine(renew(source.url), videoId);
    };
    this.#engine = open({ video, url: source.url, start: start === null ? null : decide, renew, events: { ...events, slow } });
  }

  /** Where it was to start; null for the start of the reel. */
  get aimed(): StartPosition | null {
    return this.#aim;
  }

  get timeline(): Timeline {
    return this.#engine.timeline;
  }

  get levels(): readonly number[] {
    return this.#engine.levels;
  }

  get level(): number | null {
    return this.#engine.level;
  }

  fix(level: number | null): void {
    this.#engine.fix(level);
  }

  get needsFreshUrl(): boolean {
    return this.#engine.needsFreshUrl;
  }

  /** More is to come at the end of the timeline. */
  get inProgress(): boolean {
    return this.#engine.inProgress;
  }

  /** The showing item is in progress: where it ends now, it goes on later. */
  get itemInProgress(): boolean {
    return this.inProgress && this.item === this.timeline.at(-1);
  }

  /** It has the next frame. */
  get hasData(): boolean {
    return this.video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA;
  }

  /** It stands at the end so far of an item in progress. */
  get starved(): boolean {
    return this.itemInProgress && !this.hasData && this.bufferedFrom(this.time) < NEAR;
  }

  /** It waits for data of an item for which the line is too slow. */
  get lags(): boolean {
    return !this.hasData && this.#slow.has(this.item?.videoId ?? '');
  }

  get time(): number {
    return this.video.currentTime;
  }

  get item(): Item | null {
    return this.timeline[itemAt(this.timeline, this.time)] ?? null;
  }

  /** It could play now, with the right frame. */
  get ready(): boolean {
    return this.hasData && !this.video.seeking && this.#start !== null && Math.abs(this.time - this.#start) < NEAR;
  }

  /** Moves a slot that does not show yet to another start. */
  aim(start: StartPosition): void {
    this.#aim = start;
    if (this.#start === null || this.timeline.length === 0) return;
    this.#start = start(this.timeline);
    if (Math.abs(this.time - this.#start) > NEAR) this.video.currentTime = this.#start;
  }

  /** Seconds at which the first item really starts: some encoders leave a few milliseconds before it. */
  get firstFrame(): number {
    const { buffered } = this.video;
    return buffered.length > 0 && buffered.start(0) < NEAR ? buffered.start(0) : 0;
  }

  /** Where the last item ends, as far as it exists; what is buffered knows it better than the playlist. */
  get end(): number {
    const last = this.timeline.at(-1);
    if (last === undefined) return Infinity;
    const nominal = last.start + last.duration;
    const { duration } = this.video;
    return Number.isFinite(duration) && Math.abs(duration - nominal) < NEAR ? duration : nominal;
  }

  /** Seconds that are buffered from `time` on. */
  bufferedFrom(time: number): number {
    const { buffered } = this.video;
    for (let index = 0; index < buffered.length; index += 1) {
      if (buffered.start(index) <= time + 0.1 && buffered.end(index) > time) return buffered.end(index) - time;
    }
    return 0;
  }

  close(): void {
    this.video.pause();
    this.#engine.close();
  }
}
