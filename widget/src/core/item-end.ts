// What is due as an item's end comes near: to look at each frame, to prepare what follows, to go on. Seconds on the timeline.
import type { Loop } from './choices';
import type { Item } from './timeline';

/** Before an end from which on each frame is looked at: `timeupdate` comes four times a second, late on a busy machine. */
const WATCH = 2;
/** Before an end at which what follows is prepared on the other element, where it is not buffered. */
const PREPARE = 12;
/** What has to be buffered for going on by a seek. */
const ENOUGH = 1;
/** Before an end at which a timer takes over from the frame callbacks. */
const CLOSE = 0.3;
/** Before the end at which it wraps while the last frames still show (measured: a wrap there costs 0 to 13 ms). */
const WRAP = 0.06;
/** Between an item's end and the start of what follows it directly, at most. */
const ADJACENT = 0.1;
/** By which an item may end before the list and still be its last one. */
const LAST = 0.5;

/** An end that is near. */
export interface ItemEnd {
  readonly at: number;
  /** Where to go on. */
  readonly target: number;
  /** It does not go on there by itself: it has to wrap, or to seek. */
  readonly turns: boolean;
}

export function isWatched({ start, duration }: Item, time: number, rate: number): boolean {
  return start + duration - time < WATCH * rate;
}

/** The item's end once what follows has to be prepared; null before. `end`: of the list; `next`: where to go on. */
export function itemEnd(item: Item, { time, end, rate }: { time: number; end: number; rate: number }, loop: Loop, next: () => number): ItemEnd | null {
  const last = item.start + item.duration > end - LAST;
  const at = last ? end : item.start + item.duration;
  if (at - time > PREPARE * rate) return null;
  const target = next();
  // A list goes on by itself, and so does what happens to be followed by the next one.
  return { at, target, turns: last || (loop !== 'list' && Math.abs(target - at) > ADJACENT) };
}

/** False where going on by a seek would show nothing at first. */
export const isBuffered = (seconds: number): boolean => seconds >= ENOUGH;

/** True while it is too early for a timer. */
export const isAhead = (at: number, time: number, rate: number): boolean => at - time > CLOSE * rate;

/** Close before it, or just behind. */
export const isClose = (at: number, time: number, rate: number): boolean => Math.abs(at - time) <= CLOSE * rate;

/** Milliseconds until it has to go on. */
export const delayBefore = (at: number, time: number, rate: number): number => (Math.max(0, at - time - WRAP) / rate) * 1000;
