import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LiveClock } from './live-clock';

const SERVER = 1_790_000_000_000;

/** The line: milliseconds of each way of the next requests, then of all others; 'lost' for no response. */
interface Way { readonly there: number; readonly back: number }
let ways: (Way | 'lost' | 'nonsense')[];
let usual: Way;
let requests: number;
/** Milliseconds by which the viewer's wall clock is wrong. */
let wrong: number;
let clock: LiveClock;
let page: EventTarget & { hidden: boolean };

const serverTime = (): number => SERVER + performance.now();

async function respond(): Promise<Response> {
  requests += 1;
  const way = ways.shift() ?? usual;
  if (way === 'lost') throw new TypeError('Failed to fetch');
  if (way === 'nonsense') return Response.json({ now: 'soon' });
  await new Promise((sent) => setTimeout(sent, way.there));
  const now = serverTime();
  await new Promise((received) => setTimeout(received, way.back));
  return Response.json({ now });
}

const off = (): number => Math.abs((clock.now() ?? NaN) - serverTime());

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  [ways, usual, requests, wrong] = [[], { there: 5, back: 5 }, 0, 0];
  page = Object.assign(new EventTarget(), { hidden: false });
  vi.spyOn(Date, 'now').mockImplementation(() => SERVER + performance.now() + wrong);
  vi.stubGlobal('document', page);
  vi.stubGlobal('window', new EventTarget());
  vi.stubGlobal('fetch', respond);
  clock = new LiveClock();
});
afterEach(() => {
  clock.stop();
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe('LiveClock', () => {
  it('takes a few samples where more gain nothing, and again after half a minute', async () => {
    clock.start();
    clock.start();
    expect(clock.now()).toBeNull();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(off()).toBeLessThanOrEqual(5);
    expect(requests).toBe(5);
    await vi.advanceTimersByTimeAsync(24_000);
    expect(requests).toBe(5);
    await vi.advanceTimersByTimeAsync(6_000);
    expect(requests).toBeGreaterThanOrEqual(9);
  });

  it('takes more while they bring it nearer, a bounded number of them', async () => {
    for (let each = 1_000; each > 10; each *= 0.85) ways.push({ there: each, back: 1 });
    clock.start();
    await vi.advanceTimersByTimeAsync(20_000);
    expect(off()).toBeLessThan(15);
    expect(requests).toBe(24);
  });

  it('tries again soon when there is no response, or nonsense', async () => {
    ways = ['lost', 'nonsense'];
    clock.start();
    await vi.advanceTimersByTimeAsync(1_000);
    expect([requests, clock.now()]).toEqual([1, null]);
    await vi.advanceTimersByTimeAsync(7_000);
    expect(off()).toBeLessThanOrEqual(5);
  });

  it('is not wrong because the wall clock is', async () => {
    wrong = 5 * 3_600_000;
    clock = new LiveClock();
    clock.start();
    await vi.advanceTimersByTimeAsync(2_000);
    expect(off()).toBeLessThanOrEqual(5);
    wrong += 900;
    expect(off(), 'set by less than a second').toBeLessThanOrEqual(5);
  });

  it('starts over after a sleep, and believes nothing that was sent before', async () => {
    clock.start();
    await vi.advanceTimersByTimeAsync(29_000);
    const [sent, server] = [performance.now(), serverTime()];
    // As the wall clock has it, an hour has passed in which the steady one stood still.
    wrong += 3_600_000;
    const before = requests;
    expect(clock.now()).toBeNull();
    clock.learn({ sent: sent - 1, received: performance.now(), server: server - 3_600_000 });
    expect(clock.now()).toBeNull();
    await vi.advanceTimersByTimeAsync(12);
    expect([requests > before, off() <= 5]).toEqual([true, true]);
  });

  it('waits for no response of before the sleep', async () => {
    usual = { there: 20_000, back: 20_000 };
    clock.start();
    await vi.advanceTimersByTimeAsync(100);
    usual = { there: 5, back: 5 };
    wrong += 3_600_000;
    expect(clock.now()).toBeNull();
    await vi.advanceTimersByTimeAsync(12);
    expect(off()).toBeLessThanOrEqual(5);
  });

  it('compares one at a time, however often the page is hidden and shown', async () => {
    usual = { there: 300, back: 300 };
    clock.start();
    for (let count = 0; count < 20; count += 1) {
      await vi.advanceTimersByTimeAsync(10);
      page.hidden = !page.hidden;
      page.dispatchEvent(new Event('visibilitychange'));
    }
    expect(requests, 'the first, and one for each time that it was shown').toBe(11);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(requests).toBeLessThan(11 + 8);
  });

  it('does nothing any more once it is stopped, and goes on when it is started again', async () => {
    clock.start();
    await vi.advanceTimersByTimeAsync(200);
    clock.stop();
    await vi.advanceTimersByTimeAsync(10);
    const before = requests;
    page.dispatchEvent(new Event('visibilitychange'));
    await vi.advanceTimersByTimeAsync(120_000);
    expect([requests, vi.getTimerCount()]).toEqual([before, 0]);
    clock.start();
    await vi.advanceTimersByTimeAsync(10);
    expect(requests).toBe(before + 1);
  });
});
