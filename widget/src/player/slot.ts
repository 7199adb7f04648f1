// A video element with the deck that plays on it: one slot shows, the other prepares what comes next behind it.
import { itemAt, type Item, type Timeline } from '../core/timeline';
import type { Deck, DeckEvents, Failure, OpenDeck, Place } from './engine';

/** What a slot was opened with. */
export interface Source {
  readonly key: string;
  readonly url: string;
  /** Equal for equal content, whatever the grant. */
  readonly identity: string;
}

/** Seconds between where a slot should begin and where it may be found. */
const NEAR = 1;

export class Slot {
  readonly #deck: Deck;
  #aim: Place | null;
  /** What it ended with; it plays what it still has. */
  failure: Failure | null = null;
  /** Seconds; null until the items are known. */
  #place: number | null;

  /** Begins at `place`, at the beginning for null. */
  constructor(
    readonly video: HTMLVideoElement,
    readonly source: Source,
    open: OpenDeck,
    place: Place | null,
    renew: (url: string) => string,
    events: DeckEvents,
  ) {
    this.#aim = place;
    this.#place = place === null ? 0 : null;
    const decide = (timeline: Timeline): number => (this.#place = this.#aim?.(timeline) ?? 0);
    this.#deck = open({ video, url: source.url, place: place === null ? null : decide, renew, events });
  }

  /** Where it was to begin; null for the beginning. */
  get aimed(): Place | null {
    return this.#aim;
  }

  get timeline(): Timeline {
    return this.#deck.timeline;
  }

  get levels(): readonly number[] {
    return this.#deck.levels;
  }

  get level(): number | null {
    return this.#deck.level;
  }

  fix(level: number | null): void {
    this.#deck.fix(level);
  }

  get needsFreshUrl(): boolean {
    return this.#deck.needsFreshUrl;
  }

  /** The showing item is still being made: where it ends now, it goes on later. */
  get growing(): boolean {
    return this.#deck.growing && this.item === this.timeline.at(-1);
  }

  /** There is more to come at the end of the list. */
  get lengthening(): boolean {
    return this.#deck.growing;
  }

  /** It has what shows next. */
  get flows(): boolean {
    return this.video.readyState >= HTMLMediaElement.HAVE_FUTURE_DATA;
  }

  /** It shows the last moment that exists of an item that grows. */
  get starved(): boolean {
    return this.growing && !this.flows && this.bufferedFrom(this.time) < NEAR;
  }

  get time(): number {
    return this.video.currentTime;
  }

  get item(): Item | null {
    return this.timeline[itemAt(this.timeline, this.time)] ?? null;
  }

  /** It could start at this moment, with the right picture. */
  get ready(): boolean {
    return this.flows && !this.video.seeking && this.#place !== null && Math.abs(this.time - this.#place) < NEAR;
  }

  /** Moves a slot that does not show yet to another place. */
  aim(place: Place): void {
    this.#aim = place;
    if (this.#place === null || this.timeline.length === 0) return;
    this.#place = place(this.timeline);
    if (Math.abs(this.time - this.#place) > NEAR) this.video.currentTime = this.#place;
  }

  /** Where the first item begins: some encoders leave a few milliseconds before it. */
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

  /** Seconds of film that are ready from `time` on. */
  bufferedFrom(time: number): number {
    const { buffered } = this.video;
    for (let index = 0; index < buffered.length; index += 1) {
      if (buffered.start(index) <= time + 0.1 && buffered.end(index) > time) return buffered.end(index) - time;
    }
    return 0;
  }

  close(): void {
    this.video.pause();
    this.#deck.close();
  }
}
