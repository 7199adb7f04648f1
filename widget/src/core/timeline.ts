// The items of a reel on its playlist's timeline. All times in seconds.

/** What hls.js knows of a segment, or our own reader of playlists where the browser plays HLS itself. */
export interface Segment {
  readonly url: string;
  readonly start: number;
  readonly duration: number;
  /** Counts the discontinuities before it: distinguishes a video from its own repetition. */
  readonly discontinuity: number;
}

/** One showing of one video. A short list is repeated, so a video may have several. */
export interface Item {
  readonly videoId: string;
  readonly start: number;
  readonly duration: number;
}

export type Timeline = readonly Item[];

/** Seconds within which 'previous' means the item before, not the start of this one. */
export const RESTART_AFTER = 3;
/** Seconds before an item's end that are still its own: the end itself belongs to the next one. */
const LAST = 0.1;
/** The same at the live edge: Chromium does not finish a seek with less than some tenths of a second ahead. */
const LAST_SO_FAR = 0.5;
const VIDEO_OF = /\/v\/([^/]+)\//;

/** The video that a media URL names. */
export function videoOf(url: string): string | undefined {
  return VIDEO_OF.exec(url)?.[1];
}

/** Groups segments to items; segments whose URL names no video are left out. */
export function timelineOf(segments: readonly Segment[]): Timeline {
  const items: Item[] = [];
  let discontinuity: number | null = null;
  for (const segment of segments) {
    const videoId = videoOf(segment.url);
    if (videoId === undefined) continue;
    const last = items.at(-1);
    if (last?.videoId === videoId && segment.discontinuity === discontinuity) {
      items[items.length - 1] = { ...last, duration: segment.start + segment.duration - last.start };
    } else {
      items.push({ videoId, start: segment.start, duration: segment.duration });
    }
    discontinuity = segment.discontinuity;
  }
  return items;
}

/** Index of the item that shows at `time`; the nearest one outside of all; -1 only when there is none. */
export function itemAt(timeline: Timeline, time: number): number {
  // A frame's time may lie a little before its segment's nominal start: half a frame at 25/s is forgiven.
  const after = timeline.findIndex((item) => item.start > time + 0.02);
  if (after === -1) return timeline.length - 1;
  return Math.max(0, after - 1);
}

/** Index of the showing of a video nearest to `time`; -1 when the reel does not hold it. */
export function itemOf(timeline: Timeline, videoId: string, time: number): number {
  let best = -1;
  let distance = Infinity;
  timeline.forEach((item, index) => {
    const away = time < item.start ? item.start - time : Math.max(0, time - item.start - item.duration);
    if (item.videoId === videoId && away < distance) [best, distance] = [index, away];
  });
  return best;
}

/** Where 'previous' leads: the start of this item, or of the one before when it has hardly begun. */
export function previousTarget(timeline: Timeline, time: number): number {
  const index = itemAt(timeline, time);
  const here = timeline[index];
  if (here === undefined) return 0;
  if (time - here.start > RESTART_AFTER) return here.start;
  return timeline.at(index - 1)?.start ?? 0;
}

/** Where 'next' leads: the following item, the first one after the last. */
export function nextTarget(timeline: Timeline, time: number): number {
  return (timeline[itemAt(timeline, time) + 1] ?? timeline[0])?.start ?? 0;
}

/** The time of a position within an item, at most just before its end. */
export function withinItem(item: Item, position: number, inProgress = false): number {
  return item.start + Math.min(Math.max(0, position), Math.max(0, item.duration - (inProgress ? LAST_SO_FAR : LAST)));
}

/** Where a step of `by` seconds leads: back it stops at the item's start, forward it goes over to the next item, unless the last one is in progress. */
export function stepTarget(timeline: Timeline, time: number, by: number, inProgress = false): number {
  const here = timeline[itemAt(timeline, time)];
  if (here === undefined) return time;
  const target = time + by;
  // What lies just before the live edge may not be there yet either: a step there would show nothing until there is more.
  if (inProgress && here === timeline.at(-1)) return withinItem(here, target - here.start, true);
  if (target >= here.start + here.duration) return nextTarget(timeline, time);
  return Math.max(here.start, target);
}

/** The videos in the order in which they are shown first. */
export function orderOf(timeline: Timeline): readonly string[] {
  return [...new Set(timeline.map((item) => item.videoId))];
}

/** The video that follows `videoId` in `order`, also when the order has changed around it; null when it is empty. */
export function following(order: readonly string[], videoId: string): string | null {
  const index = order.indexOf(videoId);
  return order[(index + 1) % Math.max(1, order.length)] ?? null;
}
