// How a player is kept at the channel's moment: gently by its rate, by a seek only when it is far off. Times in seconds.
import type { Moment } from './schedule';
import { withinItem, type Timeline } from './timeline';

/** The drift from which on a seek disturbs less than a long time of catching up; and right after opening, when nothing disturbs yet. */
const FAR = 1;
const FAR_AT_FIRST = 0.25;
/** The drift that is corrected, and the one that is none. Two viewers may be twice as far from each other. */
const NOTICED = 0.02;
const NONE = 0.005;
/** The most that the rate may differ: nobody hears it. */
const MOST = 0.05;
/** Seeks that a fresh picture is given to find its place. */
const FIRST_SEEKS = 2;
/** Seconds that a seek takes, and within which its effect cannot be told yet. */
export const LEAD = 0.15;
export const SETTLE = 0.8;

export interface Steering {
  readonly rate: number;
  /** Until then what was sought settles: seconds on the steady clock. */
  readonly settlesAt: number;
  /** Seeks left of those for a fresh picture. */
  readonly fresh: number;
  /** To be sought now. */
  readonly seek: boolean;
}

/** Of a picture that has just been opened, or comes back from elsewhere. */
export const FRESH: Steering = { rate: 1, settlesAt: -Infinity, fresh: FIRST_SEEKS, seek: false };

/** What to do about a drift (positive: the player is late) at `now`, seconds on the steady clock. */
export function steer(before: Steering, drift: number, now: number): Steering {
  const { settlesAt, fresh } = before;
  if (now < settlesAt) return { ...before, seek: false };
  const away = Math.abs(drift);
  if (away > (fresh > 0 ? FAR_AT_FIRST : FAR)) return { rate: 1, settlesAt: now + SETTLE, fresh: Math.max(0, fresh - 1), seek: true };
  if (away > NOTICED) return { rate: 1 + Math.min(MOST, Math.max(-MOST, drift / 2)), settlesAt, fresh: 0, seek: false };
  return { rate: away < NONE ? 1 : before.rate, settlesAt, fresh: 0, seek: false };
}

/** Where a moment is on a playlist: of a video that it repeats, the showing nearest to `time`. Null when it is not in it. */
export function placeOf(timeline: Timeline, { videoId, offset }: Moment, time: number, growing: boolean): number | null {
  let best: number | null = null;
  for (const item of timeline) {
    if (item.videoId !== videoId) continue;
    // Of one that is still being made the moment may not exist yet: the last one that does is the nearest.
    const place = growing && item === timeline.at(-1) ? withinItem(item, offset, true) : item.start + Math.min(offset, item.duration);
    const nearer = best === null || Math.abs(driftTo(timeline, place, time, growing)) < Math.abs(driftTo(timeline, best, time, growing));
    if (nearer) best = place;
  }
  return best;
}

/** Seconds from `time` to `place`, by the shorter way around: a playlist that is whole starts over without a gap. */
export function driftTo(timeline: Timeline, place: number, time: number, growing: boolean): number {
  const last = timeline.at(-1);
  const direct = place - time;
  if (growing || last === undefined) return direct;
  const length = last.start + last.duration;
  return direct - length * Math.round(direct / length);
}
