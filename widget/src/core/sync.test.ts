import { describe, expect, it } from 'vitest';
import { driftTo, FRESH, LEAD, timeOf, SETTLE, steer, type Steering } from './sync';
import type { Timeline } from './timeline';

const SETTLED: Steering = { ...FRESH, fresh: 0 };
const TWICE: Timeline = [
  { videoId: 'a', start: 0, duration: 4 }, { videoId: 'b', start: 4, duration: 2 },
  { videoId: 'a', start: 6, duration: 4 }, { videoId: 'b', start: 10, duration: 2 },
];

describe('steer', () => {
  it('seeks when it is far off, and then waits for the effect', () => {
    const sought = steer(SETTLED, 1.01, 10);
    expect(sought).toEqual({ rate: 1, settlesAt: 10 + SETTLE, fresh: 0, seek: true });
    expect(steer(sought, 3, 10.7).seek).toBe(false);
    expect(steer(sought, -3, 10.9).seek).toBe(true);
  });

  it('nudges by half of the drift, by five hundredths at most', () => {
    expect(steer(SETTLED, 0.06, 0).rate).toBeCloseTo(1.03);
    expect(steer(SETTLED, 0.9, 0).rate).toBeCloseTo(1.05);
    expect(steer(SETTLED, -0.08, 0).rate).toBeCloseTo(0.96);
    expect(steer(SETTLED, -0.9, 0).rate).toBeCloseTo(0.95);
  });

  it('goes on until nothing is left, and does not begin for a trifle', () => {
    const nudged = steer(SETTLED, 0.06, 0);
    expect(steer(nudged, 0.015, 1).rate).toBe(nudged.rate);
    expect(steer(nudged, 0.004, 1).rate).toBe(1);
    expect(steer(SETTLED, 0.015, 1).rate).toBe(1);
  });

  it('seeks right after opening, a bounded number of times', () => {
    let steering = FRESH;
    const seeks = [0, 1, 2, 3].map((now) => (steering = steer(steering, 0.5, now)).seek);
    expect(seeks).toEqual([true, true, false, false]);
    expect(steer(steer(FRESH, 0.05, 0), 0.5, 1).seek, 'once it is in its place it is no longer fresh').toBe(false);
  });

  it('brings a player that drifts to the position and keeps it there', () => {
    // A clock that runs 200 ppm too fast, a network that delays each seek, a look four times a second.
    let [time, steering, sought] = [0, FRESH, -1];
    const drifts: number[] = [];
    for (let now = 0; now < 60; now += 0.25) {
      const target = now + 5.3;
      if (sought >= 0) [time, sought] = [sought, -1];
      const drift = target - time;
      if (now > 10) drifts.push(Math.abs(drift));
      steering = steer(steering, drift, now);
      if (steering.seek) sought = target + LEAD + 0.05;
      time += 0.25 * steering.rate * 1.0002;
    }
    expect(Math.max(...drifts)).toBeLessThan(0.05);
  });
});

describe('timeOf', () => {
  it('is in the showing that is nearest, also around the end', () => {
    expect(timeOf(TWICE, { videoId: 'a', offset: 1 }, 7.2, false)).toBe(7);
    expect(timeOf(TWICE, { videoId: 'a', offset: 1 }, 0.9, false)).toBe(1);
    expect(timeOf(TWICE, { videoId: 'a', offset: 0.1 }, 11.9, false)).toBe(0.1);
    expect(timeOf(TWICE, { videoId: 'b', offset: 1.9 }, 0.1, false)).toBe(11.9);
  });

  it('is nowhere when the playlist does not hold it', () => {
    expect(timeOf(TWICE, { videoId: 'c', offset: 1 }, 0, false)).toBeNull();
  });

  it('stays within the item, and within what exists of one in progress', () => {
    expect(timeOf(TWICE, { videoId: 'b', offset: 2.4 }, 5, false)).toBe(6);
    const inProgress: Timeline = [{ videoId: 'a', start: 0, duration: 4 }, { videoId: 'b', start: 4, duration: 3 }];
    expect(timeOf(inProgress, { videoId: 'b', offset: 20 }, 5, true)).toBe(6.5);
    expect(timeOf(inProgress, { videoId: 'a', offset: 3 }, 5, true)).toBe(3);
  });
});

describe('driftTo', () => {
  it('goes the shorter way around, but not over an end that is not there', () => {
    expect(driftTo(TWICE, 0.1, 11.9, false)).toBeCloseTo(0.2);
    expect(driftTo(TWICE, 11.9, 0.1, false)).toBeCloseTo(-0.2);
    expect(driftTo(TWICE, 5, 4, false)).toBe(1);
    expect(driftTo(TWICE, 0.1, 11.9, true)).toBeCloseTo(-11.8);
    expect(driftTo([], 1, 0, false)).toBe(1);
  });
});
