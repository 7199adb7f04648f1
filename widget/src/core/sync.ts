// Keeps a player in sync with the channel: gently by its rate, by a seek only when it has drifted far. Seconds.
import type { ChannelPosition } from './schedule';
import { withinItem, type Timeline } from './timeline';

/** The drift from which on a seek disturbs less than catching up for long; and right after opening, when nothing disturbs yet. */
const FAR = 1;
const FAR_AT_FIRST = 0.25;
/** The drift from which on it is corrected, down to nothing: more than what several measurements together are wrong by. */
const NOTICED = 0.004;
/** The drift that is corrected by one look alone. */
const PLAIN = 0.04;
/** By how much the rate differs, the most first: nobody hears it. Less than the last, and Chromium stretches its clock but not the audio. */
const STEPS = [0.05, 0.02, 0.01, 0.005] as const;
const LEAST = 0.005;
/** Measurements whose median counts, and how many of them a small drift needs: one by itself is wrong by milliseconds. */
const KEPT = 7;
const ENOUGH = 5;
/** Seconds between two measurements, mostly; after more than LAPSE what was measured before is of no use. */
const EVERY = 0.25;
const LAPSE = 1;
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
  /** When it was last measured, and what the rate has corrected until then. */
  readonly at: number;
  readonly corrected: number;
  /** The latest drifts as they would be without any correction. */
  readonly drifts: readonly number[];
}

/** Right after opening, or after coming back to the channel. */
export const FRESH: Steering = { rate: 1, settlesAt: -Infinity, fresh: FIRST_SEEKS, seek: false, at: -Infinity, corrected: 0, drifts: [] };

/** What to do about a drift (positive: the player is late) at `now`, seconds on the steady clock. */
export function steer(before: Steering, drift: number, now: number): Steering {
  if (now < before.settlesAt) return { ...before, seek: false };
  if (Math.abs(drift) > (before.fresh > 0 ? FAR_AT_FIRST : FAR)) return { ...FRESH, settlesAt: now + SETTLE, fresh: Math.max(0, before.fresh - 1), seek: true };
  const { at, corrected, drifts } = measured(before, drift, now);
  const left = median(drifts) - corrected;
  const next = { ...before, seek: false, fresh: 0, at, corrected, drifts };
  if (drifts.length < ENOUGH && Math.abs(left) < PLAIN) return next;
  return { ...next, rate: rateFor(left, before.rate) };
}

/** Corrects nothing for now: something else is about to change the drift. */
export function rest(before: Steering): Steering {
  return { ...before, rate: 1, seek: false, drifts: [] };
}

function measured({ at: last, rate, corrected: sofar, drifts }: Steering, drift: number, at: number): Pick<Steering, 'at' | 'corrected' | 'drifts'> {
  if (at - last > LAPSE) return { at, corrected: 0, drifts: [drift] };
  const corrected = sofar + (rate - 1) * (at - last);
  return { at, corrected, drifts: [...drifts.slice(1 - KEPT), drift + corrected] };
}

/** Begins at a drift that is noticed, and goes on, more and more gently, until the next look would find it on the other side. */
function rateFor(drift: number, before: number): number {
  const away = Math.abs(drift);
  const over = before === 1 ? away < NOTICED : Math.sign(before - 1) !== Math.sign(drift) || away < (LEAST * EVERY) / 2;
  if (over) return 1;
  return 1 + Math.sign(drift) * (STEPS.find((step) => step <= away / 2) ?? LEAST);
}

function median(values: readonly number[]): number {
  const ordered = [...values].sort((a, b) => a - b);
  const [low, high] = [ordered[(ordered.length - 1) >> 1], ordered[ordered.length >> 1]];
  return ((low ?? 0) + (high ?? 0)) / 2;
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
