import { describe, expect, it } from 'vitest';
import { ServerClock, type Sample } from './clock';

const AHEAD = 5_000_000;

/** An answer that took `there` and `back` milliseconds on its way. */
const sample = (sent: number, there: number, back: number): Sample => ({ sent, received: sent + there + back, server: sent + there + AHEAD });

describe('ServerClock', () => {
  it('knows nothing before the first answer', () => {
    const clock = new ServerClock();
    expect(clock.at(100)).toBeNull();
    clock.learn(sample(0, 10, 10));
    expect(clock.at(100)).toBe(AHEAD + 100);
  });

  it('believes the quickest way of each direction', () => {
    const clock = new ServerClock();
    for (const [at, there, back] of [[0, 5, 300], [400, 3, 5], [800, 250, 2], [1200, 90, 10]] as const) clock.learn(sample(at, there, back));
    // 3 ms there, 2 ms back: of two different samples, of which the older counts as a little less exact.
    expect(clock.at(2000)).toBeCloseTo(AHEAD + 2000 + 0.5, 1);
    expect(clock.doubt).toBeCloseTo(2.5, 0);
  });

  it('is never wrong by more than half of the quickest way there and back', () => {
    let seed = 1;
    const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    for (let round = 0; round < 200; round += 1) {
      const clock = new ServerClock();
      let quickest = Infinity;
      for (let index = 0; index < 8; index += 1) {
        const [there, back] = [random() * 200, random() * 200];
        quickest = Math.min(quickest, there + back);
        clock.learn(sample(index * 500, there, back));
      }
      expect(Math.abs((clock.at(5_000) ?? 0) - AHEAD - 5_000)).toBeLessThan(quickest / 2 + 1);
    }
  });

  it('is right within milliseconds on a line of 150 ms that loses a fiftieth, with a clock that runs 50 ppm too fast', () => {
    let seed = 7;
    const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    const way = (): number => 75 + random() * random() * 40 + (random() < 0.02 ? 350 : 0);
    const clock = new ServerClock();
    for (let now = 0, count = 0; now < 600_000; count += 1) {
      // As it is compared: some samples, then half a minute of rest.
      now += count % 5 === 4 ? 30_000 : 300;
      const [there, back] = [way(), way()];
      clock.learn({ sent: now, received: now + there + back, server: (now + there) * 1.00005 + AHEAD });
      const after = now + there + back;
      if (count > 8) expect(Math.abs((clock.at(after) ?? 0) - after * 1.00005 - AHEAD)).toBeLessThan(4);
    }
  });

  it('starts over when the server\'s clock was set', () => {
    const clock = new ServerClock();
    clock.learn(sample(0, 10, 10));
    const later = sample(1000, 100, 100);
    clock.learn({ ...later, server: later.server - 5000 });
    expect(clock.at(2000)).toBe(AHEAD + 2000 - 5000);
  });

  it('keeps what still agrees when the server\'s clock was set by a little', () => {
    const clock = new ServerClock();
    for (const at of [0, 400, 800]) clock.learn(sample(at, 2, 2));
    const set = (each: ReturnType<typeof sample>): ReturnType<typeof sample> => ({ ...each, server: each.server + 8 });
    // Each of them alone says little, and the first of them does not yet contradict.
    clock.learn(set(sample(1200, 2, 80)));
    clock.learn(set(sample(1600, 80, 2)));
    expect(clock.doubt).toBeLessThan(3);
    expect(Math.abs((clock.at(2000) ?? 0) - AHEAD - 2008)).toBeLessThan(3);
  });

  it('comes to prefer newer answers, for clocks run apart', () => {
    const clock = new ServerClock();
    clock.learn(sample(0, 1, 1));
    const later = sample(600_000, 10, 10);
    clock.learn({ ...later, server: later.server + 40 });
    expect(clock.at(600_000)).toBe(AHEAD + 600_040);
  });

  it('begins anew after a sleep', () => {
    const clock = new ServerClock();
    clock.learn(sample(0, 1, 1));
    clock.reset();
    expect(clock.at(5)).toBeNull();
    const woken = sample(10, 100, 100);
    clock.learn({ ...woken, server: woken.server + 60_000 });
    expect(clock.at(10)).toBe(AHEAD + 60_010);
  });
});
