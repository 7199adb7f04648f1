// Where a reel goes on from the showing item, as the viewer wants to loop: in its own order, with the same video, or shuffled.
import type { Loop } from './choices';
import { arrive, beginShuffle, goBack, upcoming, type Shuffle } from './shuffle';
import { again, afterItem, startOf, type Shown, type StartPosition } from './start-position';
import { itemOf, orderOf, type Item, type Timeline } from './timeline';

/** Seconds from the timeline's start within which an item is the first one. */
const FIRST = 0.1;

export interface Playing extends Shown {
  /** Seconds at which the first item really starts: some encoders leave a few milliseconds before it. */
  readonly firstFrame: number;
}

export class PlayOrder {
  #shuffle: Shuffle = beginShuffle(0, null);

  constructor(private readonly loop: () => Loop) {}

  /** Begins a new random order with what shows; equal seeds give equal orders. */
  restart(seed: number, videoId: string | null): void {
    this.#shuffle = beginShuffle(seed, videoId);
  }

  /** A video shows. */
  arrived(videoId: string, timeline: Timeline): void {
    if (this.loop() === 'shuffle') this.#shuffle = arrive(this.#shuffle, videoId, orderOf(timeline));
  }

  /** Seconds at which this version of the reel goes on after its item; in a list after the last one. */
  next(playing: Playing, item: Item): number {
    const loop = this.loop();
    if (loop === 'list') return playing.firstFrame;
    return startIn(playing, loop === 'one' ? item.videoId : upcoming(this.#shuffle, orderOf(playing.timeline)));
  }

  /** Seconds of what was shown before, of a shuffled reel alone. */
  previous(playing: Playing): number {
    this.#shuffle = goBack(this.#shuffle, orderOf(playing.timeline));
    return startIn(playing, this.#shuffle.trail[this.#shuffle.place] ?? null);
  }

  /** Where a version that is being opened takes over at the item's end. */
  takeover(shown: Shown): StartPosition {
    const loop = this.loop();
    if (loop === 'one') return again(shown);
    if (loop === 'shuffle') return (timeline) => startOf(upcoming(this.#shuffle, orderOf(timeline)))?.(timeline) ?? 0;
    return afterItem(shown);
  }

  /** An item's end passed unnoticed, from `before` to the showing item: seconds at which it should have gone on; null when it is right there. */
  correction(playing: Playing, before: string | null): number | null {
    const loop = this.loop();
    const videoId = playing.item?.videoId;
    if (loop === 'list' || before === null || before === videoId) return null;
    const order = orderOf(playing.timeline);
    const wanted = loop === 'one' ? before : upcoming(this.#shuffle, order);
    return wanted === null || wanted === videoId || !order.includes(wanted) ? null : startIn(playing, wanted);
  }
}

/** The start of a video's nearest showing. */
function startIn({ timeline, time, firstFrame }: Playing, videoId: string | null): number {
  const start = timeline[itemOf(timeline, videoId ?? '', time)]?.start ?? 0;
  return start < FIRST ? firstFrame : start;
}
