// Keeps a player in sync with the channel: gently by its rate, by a seek only when it has drifted far. Seconds.
import type { ChannelPosition } from './schedule';
import { withinItem, type Timeline } from './timeline';

/** The drift from which on a seek disturbs less than catching up for long; and right after opening, when nothing disturbs yet, or where no rate is heeded. */
const FAR = 1;
const FAR_AT_FIRST = 0.25;
/** The drift from which on it is corrected, down to nothing; or more, where measurements differ by more: so many times as far as half of them do. */
const NOTICED = 0.003;
const SPREAD = 2.5;
/** The drift that is corrected before it is measured often enough. */
const PLAIN = 0.04;
/** How far two looks are from those before, at least and in their spread, when something has disturbed it. */
const DISTURBED = 0.02;
const OUTSIDE = 4;
/** By how much the rate differs from 1, from which drift on; and for less than that. Less, and Chromium stretches its clock but not the audio. */
const STEPS = [[0.12, 0.05], [0.06, 0.02], [0.01, 0.01]] as const;
const LEAST = 0.005;
/** So many times as far it has to be for a step back up: each look has its error. */
const AGAIN = 3;
/** The most by which nobody hears the pitch change (17 cents). Chromium keeps the pitch at the price of 20 ms of silence, by which the player is late, as it begins to. */
const UNHEARD = 0.01;
/** Measurements whose median counts, and how many of them a small drift needs: one by itself is wrong by milliseconds. */
const KEPT = 15;
const ENOUGH = 5;
/** Seconds without a look after which what was measured before is of no use. A page in the background looks once a second, or once a minute. */
const LAPSE = 2;
/** Seconds that it corrects in vain, beyond twice the drift, before it takes it that the browser heeds no such rate; and for which it then lets it be. */
const VAIN = 0.1;
const LET_BE = 120;
/** Seeks that are allowed right after opening. */
const FIRST_SEEKS = 2;
/** Seconds that a seek takes at first and at most: on a slow line, what it takes is learnt from the last one. */
export const LEAD = 0.15;
const MOST_LEAD = 5;
/** Seconds within which a seek's effect cannot be measured yet. */
export const SETTLE = 0.8;

export interface Steering {
  readonly rate: number;
  /** Until then what was sought settles: seconds on the steady clock. */
  readonly settlesAt: number;
  /** Seeks left of those right after opening. */
  readonly fresh: number;
  /** It has to seek now, to where the channel is in `lead` seconds. */
  readonly seek: boolean;
  readonly lead: number;
  /** When it was last measured, and what the rate has corrected until then. */
  readonly at: number;
  readonly corrected: number;
  /** The latest drifts as they would be without any correction. */
  readonly drifts: readonly number[];
  /** How much may be corrected to this side before it was in vain. */
  readonly vain: number;
  /** Until then it lets be what it cannot correct. */
  readonly letsBe: number;
}

/** Right after opening, or after coming back to the channel. */
export const FRESH: Steering = {
  rate: 1, settlesAt: -Infinity, fresh: FIRST_SEEKS, seek: false, lead: LEAD, at: -Infinity, corrected: 0, drifts: [], vain: 0, letsBe: -Infinity,
};

/** What to do about a drift (positive: the player is late) at `now`, seconds on the steady clock. */
export function steer(before: Steering, drift: number, now: number): Steering {
  if (now < before.settlesAt) return { ...before, seek: false };
  const sought = before.settlesAt > -Infinity;
  const lead = sought && drift > FAR ? Math.min(MOST_LEAD, before.lead + drift) : LEAD;
  // Back to what is there from a lead that was too long.
  const early = sought && drift < 0;
  const far = before.fresh > 0 || now < before.letsBe || early ? FAR_AT_FIRST : FAR;
  if (Math.abs(drift) > far) return { ...FRESH, settlesAt: now + SETTLE, fresh: Math.max(0, before.fresh - 1), seek: true, lead };
  const every = now - before.at;
  const next = { ...before, ...measured(before, drift, now), seek: false, fresh: 0, settlesAt: -Infinity, lead };
  // The next look may be as late as this one.
  if (every > LAPSE) return { ...next, rate: 1 };
  const left = median(next.drifts) - next.corrected;
  if (next.drifts.length < ENOUGH && Math.abs(left) < PLAIN) return next;
  return corrected(next, left, every);
}

/** Corrects nothing for now: something else is about to change the drift. */
export function rest(before: Steering): Steering {
  return { ...before, rate: 1, seek: false, drifts: [] };
}

function measured({ at: last, rate, corrected: sofar, drifts: before }: Steering, drift: number, at: number): Pick<Steering, 'at' | 'corrected' | 'drifts'> {
  if (at - last > LAPSE) return { at, corrected: 0, drifts: [drift] };
  const corrected = sofar + (rate - 1) * (at - last);
  const drifts = [...before.slice(1 - KEPT), drift + corrected];
  const [newest, middle, error] = [drifts.slice(-2), median(drifts), Math.max(DISTURBED, OUTSIDE * spread(drifts))];
  const disturbed = newest.every((each) => each > middle + error) || newest.every((each) => each < middle - error);
  return { at, corrected, drifts: disturbed ? newest : drifts };
}

/** Whether a rate would change the pitch so that it is heard. */
export const changesPitch = (rate: number): boolean => Math.abs(rate - 1) > UNHEARD + 1e-9;

/** Begins at a drift that is noticed, and goes on, more and more gently, until the next look would find it on the other side. */
function corrected(now: Steering, drift: number, every: number): Steering {
  const away = Math.abs(drift);
  const side = Math.sign(drift);
  const begins = now.rate === 1;
  const least = begins ? Math.max(NOTICED, SPREAD * spread(now.drifts)) : 0;
  const over = away < Math.max(least, (LEAST * every) / 2) || now.at < now.letsBe || (!begins && Math.sign(now.rate - 1) !== side);
  if (over) return { ...now, rate: 1 };
  const done = side * now.corrected;
  const anew = begins || now.drifts.length < ENOUGH;
  const vain = Math.min(anew ? Infinity : now.vain, done + 2 * away + VAIN);
  if (done > vain) return { ...now, rate: 1, letsBe: now.at + LET_BE };
  const faster = (step: number): number => (anew || step <= Math.abs(now.rate - 1) + 1e-9 ? 1 : AGAIN);
  const step = STEPS.find(([from, each]) => from * faster(each) <= away)?.[1] ?? LEAST;
  return { ...now, vain, rate: 1 + side * step };
}

/** How far half of the values are from their median at most. */
function spread(values: readonly number[]): number {
  const middle = median(values);
  return median(values.map((value) => Math.abs(value - middle)));
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
