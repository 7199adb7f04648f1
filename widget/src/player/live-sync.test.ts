import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Schedule } from '../core/model';
import { Store } from '../core/store';
import type { Timeline } from '../core/timeline';
import { Conductor } from './live-sync';
import type { Place } from './engine';
import type { ReelPlayer, Whereabouts } from './reel-player';
import { IDLE, type Playback } from './state';

const KEY = '*';
const LIST: Timeline = [{ videoId: 'a', start: 0, duration: 10 }, { videoId: 'b', start: 10, duration: 10 }];
const SCHEDULE: Schedule = { startsAt: 0, items: [{ id: 'a', duration: 10 }, { id: 'b', duration: 10 }], before: null };

/** A player whose place is set by the test, and that notes what it is told. */
class Player {
  readonly playback = new Store<Playback>({ ...IDLE, reel: KEY, videoId: 'a', playing: true });
  readonly live = new Store(false);
  onOwnWay: () => void = () => undefined;
  here: Partial<Whereabouts> | null = {};
  time = 0;
  rate = 1;
  readonly jumps: number[] = [];
  readonly joined: Place[] = [];

  constructor() {
    // Its own speed again.
    this.live.subscribe(() => (this.rate = 1));
  }

  get whereabouts(): Whereabouts | null {
    const item = LIST.find(({ start, duration }) => this.time >= start && this.time < start + duration) ?? null;
    return this.here && { key: KEY, timeline: LIST, time: this.time, item, lengthening: false, flows: true, turning: false, ...this.here };
  }

  nudge(rate: number): void {
    this.rate = rate;
  }

  jump(time: number): void {
    this.jumps.push(time);
    this.time = time;
  }

  join(place: Place): void {
    this.joined.push(place);
  }

  play(): void {
    this.playback.patch({ playing: true });
  }
}

let conductor: Conductor;
let [player, now, schedule] = [new Player(), 3000 as number | null, SCHEDULE];

/** Lets a quarter of a second pass in which the player plays along. */
function pass(times = 1): void {
  for (let count = 0; count < times; count += 1) {
    if (now !== null) now += 250;
    if (player.playback.get().playing) player.time += 0.25 * player.rate;
    vi.advanceTimersByTime(250);
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  [player, now, schedule] = [new Player(), 3000, SCHEDULE];
  conductor = new Conductor(KEY, player as unknown as ReelPlayer, () => schedule, () => now);
});
afterEach(() => {
  conductor.stop();
  vi.useRealTimers();
});

describe('Conductor', () => {
  it('begins at the moment', () => {
    expect(conductor.begin(LIST)).toBeCloseTo(3.15);
    now = null;
    expect(conductor.begin(LIST)).toBe(0);
  });

  it('sends what was opened to the moment, then only nudges it', () => {
    conductor.start();
    player.time = 2.5;
    pass();
    expect(player.jumps).toEqual([expect.closeTo(3.4)]);
    pass(4);
    player.time -= 0.4;
    pass();
    expect(player.jumps).toHaveLength(1);
    expect(player.rate).toBeGreaterThan(1.04);
    pass(60);
    expect([player.rate, player.jumps.length]).toEqual([1, 1]);
  });

  it('does nothing without the time, a schedule, or a moving picture', () => {
    conductor.start();
    player.time = 9;
    now = null;
    pass(10);
    [now, player.here] = [3000, { flows: false }];
    pass(10);
    player.here = null;
    pass(10);
    player.here = { key: '@a:x' };
    pass(10);
    expect([player.jumps, player.joined, player.rate]).toEqual([[], [], 1]);
  });

  it('is left by the viewer and comes back when asked', () => {
    conductor.start();
    player.time = 3;
    pass(2);
    player.time -= 0.1;
    pass();
    expect(player.rate).not.toBe(1);
    player.onOwnWay();
    expect([conductor.mode.get(), player.rate]).toEqual(['away', 1]);
    player.time = 17;
    pass(10);
    expect(player.jumps).toEqual([]);
    player.playback.patch({ playing: false });
    conductor.join();
    expect([conductor.mode.get(), player.playback.get().playing, player.jumps.length]).toEqual(['live', true, 1]);
    conductor.stop();
    conductor.join();
    expect(conductor.mode.get()).toBe('off');
  });

  it('is left by a pause of the system, but not by a refusal to begin', () => {
    conductor.start();
    player.here = { flows: false };
    player.playback.patch({ playing: false });
    pass();
    expect(conductor.mode.get()).toBe('live');
    player.here = {};
    player.playback.patch({ playing: true });
    pass();
    player.playback.patch({ playing: false });
    expect(conductor.mode.get()).toBe('away');
  });

  it('leaves the end of an item alone when another list follows it', () => {
    conductor.start();
    [player.time, now] = [3, 3000];
    pass(2);
    // The list is about to go on with c, which this version does not have, and b comes later.
    schedule = { startsAt: 10_000, items: [{ id: 'c', duration: 5 }, { id: 'b', duration: 10 }, { id: 'a', duration: 10 }], before: { id: 'a', duration: 10 } };
    player.here = { turning: true };
    [player.time, now] = [9.2, 9200];
    pass(3);
    expect([player.rate, player.jumps, player.joined]).toEqual([1, [], []]);
  });

  it('opens the newest version when this one does not have the moment for long', () => {
    conductor.start();
    player.time = 3;
    pass(2);
    schedule = { startsAt: 0, items: [{ id: 'c', duration: 500 }], before: null };
    pass(5);
    expect(player.joined).toEqual([]);
    pass(4);
    expect(player.joined).toHaveLength(1);
    expect(player.joined[0]?.([{ videoId: 'c', start: 0, duration: 500 }])).toBeCloseTo((now ?? 0) / 1000 + 0.15);
  });

  it('does not insist on a video that cannot be played here', () => {
    conductor.start();
    player.playback.patch({ trouble: 'media', videoId: 'a' });
    player.playback.patch({ trouble: null, videoId: 'b' });
    player.time = 12;
    pass(8);
    expect([player.jumps, player.joined]).toEqual([[], []]);
    now = 17_000;
    pass();
    expect(player.jumps).toHaveLength(1);
  });
});
