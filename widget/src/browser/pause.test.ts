import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Pause } from './pause';

const LONG = 60_000;

describe('a pause', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('window', new EventTarget());
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  /** Whether a wait is over, after everything that is due now has run. */
  async function isOver(wait: Promise<void>): Promise<boolean> {
    let over = false;
    void wait.then(() => (over = true));
    await vi.advanceTimersByTimeAsync(0);
    return over;
  }

  it('lasts as long as it should, and no longer', async () => {
    const wait = new Pause().wait(LONG);
    await vi.advanceTimersByTimeAsync(LONG - 1);
    expect(await isOver(wait)).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(await isOver(wait)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    ['by hand', (pause: Pause) => pause.end()],
    ['when the browser is online again', () => window.dispatchEvent(new Event('online'))],
  ])('ends early %s, unless it is fixed', async (_, end) => {
    const pause = new Pause();
    const wait = pause.wait(LONG);
    end(pause);
    expect([await isOver(wait), vi.getTimerCount()]).toEqual([true, 0]);
    const fixed = pause.wait(LONG, { fixed: true });
    end(pause);
    expect(await isOver(fixed)).toBe(false);
  });

  it('ends when what it belongs to does, before it or in the middle', async () => {
    const stop = new AbortController();
    const wait = new Pause().wait(LONG, { signal: stop.signal, fixed: true });
    expect(await isOver(wait)).toBe(false);
    stop.abort();
    expect(await isOver(wait)).toBe(true);
    expect(await isOver(new Pause().wait(LONG, { signal: stop.signal, fixed: true }))).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });
});
