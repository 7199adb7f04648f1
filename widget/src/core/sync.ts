// Keeps a player in sync with the channel: gently by its rate, by a seek only when it has drifted far. Seconds.
import type { ChannelPosition } from './schedule';
import { withinItem, type Timeline } from './timeline';

/** The drift from which on a seek disturbs less than catching up for long; and right after opening, when nothing disturbs yet. */
const FAR = 1;
const FAR_AT_FIRST = 0.25;
/** The drift that is corrected, and the one that is none. Two viewers may be twice as far from each other. */
const NOTICED = 0.02;
const NONE = 0.005;
/** The most that the rate may differ: nobody hears it. */
const MOST = 0.05;
/** Seeks that are allowed right after opening. */
const FIRST_SEEKS = 2;
/** Seconds that a seek takes, and within which its effect cannot be measured yet. */
export const LEAD = 0.15;
export const SETTLE = 0.8;

export interface Steering {
  readonly rate: number;
  /** Until then what was sought settles: seconds on the steady clock. */
  readonly settlesAt: number;
  /** Seeks left of those right after opening. */
  readonly fresh: number;
  /** It has to seek now. */
  readonly seek: boolean;
}

/** Right after opening, or after coming back to the channel. */
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

/** Where on a timeline the channel is: of a video that it repeats, the showing nearest to `time`. Null when it is not in it. */
export function timeOf(timeline: Timeline, { videoId, offset }: ChannelPosition, time: number, inProgress: boolean): number | null {
  let best: number | null = null;
  for (const item of timeline) {
    if (item.videoId !== videoId) continue;
    // Of a video in progress the offset may not exist yet: the live edge is the nearest.
    const target = inProgress && item === timeline.at(-1) ? withinItem(item, offset, true) : item.start + Math.min(offset, item.duration);
    const nearer = best === null || Math.abs(driftTo(timeline, target, time, inProgress)) < Math.abs(driftTo(timeline, best, time, inProgress));
    if (nearer) best = target;
  }
  return best;
}

/** Seconds from `time` to `target`, by the shorter way around: a playlist that has ended starts over without a gap. */
export function driftTo(timeline: Timeline, target: number, time: number, inProgress: boolean): number {
  const last = timeline.at(-1);
  const direct = target - time;
  if (inProgress || last === undefined) return direct;
  const length = last.start + last.duration;
  return direct - length * Math.round(direct / length);
}
