import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Schedule } from '../core/model';
import type { StartPosition } from '../core/start-position';
import { Store } from '../core/store';
import type { Timeline } from '../core/timeline';
import { LiveSync } from './live-sync';
import { IDLE, type Playback } from './playback';
import type { SyncState } from './reel';
import type { ReelPlayer } from './reel-player';

const KEY = '*';
const LIST: Timeline = [{ videoId: 'a', start: 0, duration: 10 }, { videoId: 'b', start: 10, duration: 10 }];
const SCHEDULE: Schedule = { startsAt: 0, items: [{ id: 'a', duration: 10 }, { id: 'b', duration: 10 }], before: null, until: null };

/** A player whose time is set by the test, and that records the calls. */
class Player {
  readonly playback = new Store<Playback>({ ...IDLE, reel: KEY, videoId: 'a', playing: true });
  readonly live = new Store(false);
  onOwnWay: () => void = () => undefined;
  here: Partial<SyncState> | null = {};
  time = 0;
  rate = 1;
  readonly seeks: number[] = [];
  readonly reopened: StartPosition[] = [];

  constructor() {
    // Its own speed again.
    this.live.subscribe(() => (this.rate = 1));
  }

  get syncState(): SyncState | null {
    const item = LIST.find(({ start, duration }) => this.time >= start && this.time < start + duration) ?? null;
    return this.here && { key: KEY, timeline: LIST, time: this.time, item, inProgress: false, advancing: true, replaced: false, ...this.here };
  }

  nudge(rate: number): void {
    this.rate = rate;
  }

  syncTo(time: number): void {
    this.seeks.push(time);
    this.time = time;
  }

  reopen(start: StartPosition): void {
    this.reopened.push(start);
  }

  play(): void {
    this.playback.patch({ playing: true });
  }
}

let sync: LiveSync;
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
  sync = new LiveSync(KEY, player as unknown as ReelPlayer, () => schedule, () => now);
});
afterEach(() => {
  sync.stop();
  vi.useRealTimers();
});

describe('LiveSync', () => {
  it('starts where the channel is', () => {
    expect(sync.begin(LIST)).toBeCloseTo(3.15);
    now = null;
    expect(sync.begin(LIST)).toBe(0);
  });

  it('seeks right after opening, then only nudges', () => {
    sync.start();
    player.time = 2.5;
    pass();
    expect(player.seeks).toEqual([expect.closeTo(3.4)]);
    pass(4);
    player.time -= 0.4;
    // One look may be wrong.
    pass(4);
    expect(player.seeks).toHaveLength(1);
    expect(player.rate).toBeGreaterThan(1.04);
    pass(100);
    expect([player.rate, player.seeks.length]).toEqual([1, 1]);
  });

  it('does nothing without the time, a schedule, or a playing video', () => {
    sync.start();
    player.time = 9;
    now = null;
    pass(10);
    [now, player.here] = [3000, { advancing: false }];
    pass(10);
    player.here = null;
    pass(10);
    player.here = { key: '@a:x' };
    pass(10);
    expect([player.seeks, player.reopened, player.rate]).toEqual([[], [], 1]);
  });

  it('puts right a speed that something else set, and leaves no other than its own behind', () => {
    sync.start();
    player.time = 3;
    pass(8);
    // As a new source does in some browsers, or an extension.
    player.rate = 2;
    pass();
    expect([player.rate, player.seeks.length]).toEqual([1, 0]);
    pass(4);
    expect(player.rate).toBeLessThan(1);
    pass(200);
    expect([player.rate, player.seeks.length]).toEqual([1, 0]);
  });

  it('corrects nothing from what it measured before a pause of the browser', () => {
    sync.start();
    player.time = 3;
    pass(3);
    player.time -= 0.3;
    pass(3);
    expect(player.rate).toBe(1.05);
    // A page in the background whose muted video the browser stopped, and started again later.
    player.here = { advancing: false };
    now = (now ?? 0) + 2_900;
    vi.advanceTimersByTime(2_900);
    player.time += 2.9;
    player.here = {};
    pass();
    expect(player.rate).toBe(1);
  });

  it('is left by the viewer and comes back by a join', () => {
    sync.start();
    player.time = 3;
    pass(2);
    player.time -= 0.1;
    pass(4);
    expect(player.rate).not.toBe(1);
    player.onOwnWay();
    expect([sync.mode.get(), player.rate]).toEqual(['away', 1]);
    player.time = 17;
    pass(10);
    expect(player.seeks).toEqual([]);
    player.playback.patch({ playing: false });
    sync.join();
    expect([sync.mode.get(), player.playback.get().playing, player.seeks.length]).toEqual(['live', true, 1]);
    sync.stop();
    sync.join();
    expect(sync.mode.get()).toBe('off');
  });

  it('is left by a pause of the system, but not by a refusal to begin', () => {
    sync.start();
    player.here = { advancing: false };
    player.playback.patch({ playing: false });
    pass();
    expect(sync.mode.get()).toBe('live');
    player.here = {};
    player.playback.patch({ playing: true });
    pass();
    player.playback.patch({ playing: false });
    expect(sync.mode.get()).toBe('away');
  });

  it('leaves the end of an item alone when another list follows it', () => {
    sync.start();
    [player.time, now] = [3, 3000];
    pass(2);
    // The list is about to go on with c, which this version does not have, and b comes later.
    schedule = { startsAt: 10_000, items: [{ id: 'c', duration: 5 }, { id: 'b', duration: 10 }, { id: 'a', duration: 10 }], before: { id: 'a', duration: 10 }, until: null };
    player.here = { replaced: true };
    [player.time, now] = [9.2, 9200];
    pass(3);
    expect([player.rate, player.seeks, player.reopened]).toEqual([1, [], []]);
  });

  it('opens the newest version when this one lacks what the channel shows for long', () => {
    sync.start();
    player.time = 3;
    pass(2);
    schedule = { startsAt: 0, items: [{ id: 'c', duration: 500 }], before: null, until: null };
    pass(5);
    expect(player.reopened).toEqual([]);
    pass(4);
    expect(player.reopened).toHaveLength(1);
    expect(player.reopened[0]?.([{ videoId: 'c', start: 0, duration: 500 }])).toBeCloseTo((now ?? 0) / 1000 + 0.15);
  });

  it('does not insist on a video that cannot be played here', () => {
    sync.start();
    player.playback.patch({ problem: 'media', videoId: 'a' });
    player.playback.patch({ problem: null, videoId: 'b' });
    player.time = 12;
    pass(8);
    expect([player.seeks, player.reopened]).toEqual([[], []]);
    now = 17_000;
    pass();
    expect(player.seeks).toHaveLength(1);
  });
});
