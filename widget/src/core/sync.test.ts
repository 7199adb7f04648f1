import { describe, expect, it } from 'vitest';
import { changesPitch, driftTo, FRESH, LEAD, rest, timeOf, SETTLE, steer, type Steering } from './sync';
import type { Timeline } from './timeline';

const SETTLED: Steering = { ...FRESH, fresh: 0 };
const TWICE: Timeline = [
  { videoId: 'a', start: 0, duration: 4 }, { videoId: 'b', start: 4, duration: 2 },
  { videoId: 'a', start: 6, duration: 4 }, { videoId: 'b', start: 10, duration: 2 },
];

/** A player that obeys, but for what the test does to it; looks at it four times a second. */
class Simulation {
  steering = SETTLED;
  /** Seconds that the player is late. */
  drift: number;
  now = 0;
  changes = 0;
  /** Seconds at another rate than its own. */
  nudged = 0;
  seeks = 0;
  readonly drifts: number[] = [];
  readonly rates = new Set<number>();
  #seed = 42;

  /** `obeys`: to which of the rates the browser keeps; `every`: seconds between two looks. */
  constructor(drift: number, private readonly options: { noise?: number; skew?: number; steering?: Steering; every?: number; obeys?: (rate: number) => boolean } = {}) {
    this.drift = drift;
    this.steering = options.steering ?? SETTLED;
  }

  /** Evenly between -1 and 1. */
  random(): number {
    return ((this.#seed = (this.#seed * 16_807) % 2_147_483_647) / 2_147_483_647) * 2 - 1;
  }

  run(seconds: number, disturb: (now: number) => void = () => undefined): this {
    const { noise = 0, skew = 0, obeys = () => true } = this.options;
    this.drifts.length = 0;
    for (const end = this.now + seconds; this.now < end; ) {
      const every = (this.options.every ?? 0.25) * (1 + 0.04 * this.random());
      this.now += every;
      if (obeys(this.steering.rate)) this.drift -= every * (this.steering.rate - 1);
      this.drift += every * skew;
      if (this.steering.rate !== 1) this.nudged += every;
      disturb(this.now);
      const { rate } = this.steering;
      this.steering = steer(this.steering, this.drift + noise * this.random(), this.now);
      if (this.steering.seek) this.drift = 0.05 * this.random();
      this.seeks += Number(this.steering.seek);
      this.changes += Number(this.steering.rate !== rate);
      this.rates.add(this.steering.rate);
      this.drifts.push(Math.abs(this.drift));
    }
    return this;
  }

  /** The drift that `share` of the looks found to be less. */
  within(share: number): number {
    return [...this.drifts].sort((a, b) => a - b)[Math.floor(this.drifts.length * share)] ?? NaN;
  }
}

describe('steer', () => {
  it('seeks when it is far off, and then waits for the effect', () => {
    const sought = steer(SETTLED, 1.01, 10);
    expect(sought).toMatchObject({ rate: 1, settlesAt: 10 + SETTLE, fresh: 0, seek: true });
    expect(steer(sought, 3, 10.7).seek).toBe(false);
    expect(steer(sought, -3, 10.9).seek).toBe(true);
  });

  it('nudges soon where it is plain, the less the nearer, by five hundredths at most', () => {
    const nudged = (drift: number): number => steer(steer(SETTLED, drift, 0), drift, 0.25).rate;
    expect([0.9, -0.9, 0.1, -0.1, 0.05, -0.05].map(nudged)).toEqual([1.05, 0.95, 1.02, 0.98, 1.01, 0.99]);
    expect(nudged(0.02), 'two looks may be wrong').toBe(1);
    expect(steer(SETTLED, 0.9, 0).rate, 'nor is it known after one when the next one comes').toBe(1);
  });

  it.each([0.9, -0.9, 0.3, -0.05, 0.02, 0.006, -0.006])('drives a drift of %d s to nothing without a seek, then holds', (drift) => {
    const simulation = new Simulation(drift).run(Math.abs(drift) * 25 + 15).run(60);
    expect(simulation.within(1 - 1e-9)).toBeLessThan(0.002);
    expect(simulation.seeks).toBe(0);
    expect(simulation.changes, 'one for each step down, and back').toBeLessThanOrEqual(5);
    expect(simulation.steering.rate).toBe(1);
  });

  it('is not disturbed by what single measurements are wrong by', () => {
    const simulation = new Simulation(0.02, { noise: 0.004 }).run(10).run(300);
    expect(simulation.within(0.5)).toBeLessThan(0.003);
    expect(simulation.within(0.95)).toBeLessThan(0.005);
    expect(simulation.changes / 300, 'changes a second').toBeLessThan(0.1);
    const before = simulation.changes;
    simulation.run(60, (now) => { if (Math.round(now * 4) % 20 === 0) simulation.steering = steer(simulation.steering, 0.2, now); });
    expect(simulation.changes - before).toBeLessThan(12);
  });

  it.each([200e-6, -200e-6])('keeps up with a clock that runs wrong by %d', (skew) => {
    const simulation = new Simulation(0, { noise: 0.001, skew }).run(10).run(300);
    expect(simulation.within(0.95)).toBeLessThan(0.005);
    expect(simulation.changes / 310).toBeLessThan(0.15);
  });

  it('is not restless where a browser moves its time in steps', () => {
    // 40 ms each, as Firefox does.
    const simulation = new Simulation(0.1, { noise: 0.02 }).run(30).run(600);
    expect(simulation.within(0.95)).toBeLessThan(0.015);
    expect(simulation.changes / 630, 'changes a second').toBeLessThan(0.1);
  });

  it('overshoots nothing in a page in the background, which looks once a second, or once a minute', () => {
    const slow = new Simulation(0.3, { every: 1, noise: 0.001 }).run(60).run(120);
    expect([slow.within(0.95) < 0.005, slow.seeks]).toEqual([true, 0]);
    const hardly = new Simulation(0.3, { every: 60 }).run(1_200);
    expect([hardly.drift, hardly.changes, hardly.seeks]).toEqual([0.3, 0, 0]);
    // It goes there while it corrects.
    const leaving = new Simulation(0.3).run(2);
    expect(leaving.steering.rate).toBe(1.05);
    expect(steer(leaving.steering, -2 * 0.05, leaving.now + 60).rate).toBe(1);
  });

  it('lets it be where a browser heeds no rate that is nearly 1', () => {
    const deaf = new Simulation(0.02, { noise: 0.001, obeys: () => false }).run(600);
    expect(deaf.nudged / 600).toBeLessThan(0.3);
    expect(deaf.changes / 600).toBeLessThan(0.1);
    expect([...deaf.rates].every((rate) => Math.abs(rate - 1) < 0.011), 'and is not louder for it').toBe(true);
    const coarse = new Simulation(0.9, { obeys: (rate) => Math.abs(rate - 1) > 0.015 }).run(120);
    expect(coarse.drift).toBeLessThan(0.07);
    coarse.run(120);
    expect(coarse.nudged / 240).toBeLessThan(0.4);
    expect(new Simulation(2, { obeys: () => false }).run(10).seeks, 'a seek it heeds').toBe(1);
  });

  it('corrects what each beginning of another rate costs', () => {
    // As Chromium does, where it keeps the pitch.
    const simulation = new Simulation(0.5, { noise: 0.001 });
    let kept = false;
    simulation.run(60, () => {
      const keeps = changesPitch(simulation.steering.rate);
      if (keeps && !kept) simulation.drift += 0.022;
      kept = keeps;
    }).run(60);
    expect(simulation.within(0.95)).toBeLessThan(0.004);
    expect(simulation.changes).toBeLessThan(10);
    expect([1, 1.005, 0.99, 1.01, 1.02, 0.95].map(changesPitch)).toEqual([false, false, false, false, true, true]);
  });

  it('goes on to correct what many small stalls leave', () => {
    const simulation = new Simulation(0.1, { noise: 0.001 });
    simulation.run(60, (now) => { if (now < 20) simulation.drift += 0.008; }).run(60);
    expect([simulation.within(0.95) < 0.004, simulation.steering.letsBe]).toEqual([true, -Infinity]);
  });

  it('corrects what a stall leaves, be it in the middle of a correction', () => {
    const simulation = new Simulation(-0.5).run(2);
    expect(simulation.steering.rate).toBe(0.95);
    simulation.drift += 0.8;
    simulation.run(1);
    expect(simulation.steering.rate, 'within a second').toBeGreaterThanOrEqual(1);
    expect(simulation.run(30).run(30).within(1 - 1e-9)).toBeLessThan(0.003);
  });

  it('goes faster again, and takes nothing for in vain, after a stall in the middle of a gentle correction', () => {
    const simulation = new Simulation(0.035, { noise: 0.001 }).run(2.5);
    expect(simulation.steering.rate).toBe(1.01);
    simulation.drift += 0.6;
    expect(simulation.run(2).steering.rate).toBe(1.05);
    simulation.run(30).run(30);
    expect([simulation.within(0.95) < 0.003, simulation.seeks]).toEqual([true, 0]);
  });

  it('seeks as far ahead as the last seek took, so that a slow line is not sought for ever', () => {
    let [steering, drift, now, seeks] = [SETTLED, 3, 0, 0];
    for (; now < 60; now += 0.25) {
      steering = steer(steering, drift, now);
      if (!steering.seek) continue;
      seeks += 1;
      // Five seconds until it plays.
      now += 3;
      drift = 3 - steering.lead;
    }
    expect([seeks, Math.abs(drift) < 0.01]).toEqual([2, true]);
    // This one is there sooner than the last: back, and no longer that far.
    const [first, second] = [steer(steering, 4, 70), steer(steer(steering, 4, 70), 3, 75)];
    expect([first.lead, second.lead]).toEqual([LEAD, LEAD + 3]);
    const early = steer(second, -0.8, 76);
    expect([early.seek, early.lead]).toEqual([true, LEAD]);
  });

  it('follows a clock that gets to know better', () => {
    // Each of the first comparisons moves the server's time by up to 20 ms, the later ones by less.
    const simulation = new Simulation(0.01, { noise: 0.001 });
    simulation.run(10, (now) => { simulation.drift += (0.02 * simulation.random()) / (1 + 10 * now); }).run(20);
    expect(simulation.within(0.95)).toBeLessThan(0.005);
    expect(Math.max(...simulation.rates)).toBeLessThanOrEqual(1.05);
  });

  it('seeks right after opening, a bounded number of times', () => {
    let steering = FRESH;
    const seeks = [0, 1, 2, 3].map((now) => (steering = steer(steering, 0.5, now)).seek);
    expect(seeks).toEqual([true, true, false, false]);
    expect(steer(steer(FRESH, 0.05, 0), 0.5, 1).seek, 'once it is in its place it is no longer fresh').toBe(false);
  });

  it('corrects nothing while it rests, and does not believe afterwards what it measured before', () => {
    const nudged = steer(steer(SETTLED, 0.06, -0.25), 0.06, 0);
    const rested = rest(nudged);
    expect(rested.rate).toBe(1);
    expect(steer(rested, 0.002, 0.25).rate).toBe(1);
    const stalled = steer(nudged, -0.06, 5);
    expect([stalled.rate, steer(stalled, -0.06, 5.25).rate], 'the other way, after its own speed').toEqual([1, 0.98]);
  });

  it('brings a player that drifts to the position and keeps it there', () => {
    // A network that delays each seek.
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
    expect(Math.max(...drifts)).toBeLessThan(0.006);
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
