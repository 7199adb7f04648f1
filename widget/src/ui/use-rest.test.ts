import { h, render } from 'preact';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { useRest } from './use-rest';

/** A page in which nothing is drawn: what is tested is when. */
const parent = { nodeType: 1, childNodes: [], firstChild: null } as unknown as Element;
let shows: boolean;

function Page({ arrived, awaited, plays }: { arrived: boolean; awaited: boolean; plays: boolean }): null {
  shows = useRest(arrived, awaited, plays);
  return null;
}

async function page(arrived: boolean, awaited: boolean, plays: boolean): Promise<boolean> {
  render(h(Page, { arrived, awaited, plays }), parent);
  // Preact runs effects after the next frame: here, after the time within which one has to come.
  await vi.advanceTimersByTimeAsync(50);
  return shows;
}

async function after(milliseconds: number): Promise<boolean> {
  await vi.advanceTimersByTimeAsync(milliseconds);
  return shows;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(async () => {
  render(null, parent);
  await vi.runAllTimersAsync();
  vi.useRealTimers();
});

describe('what is not the video', () => {
  it('comes a little after the first frame', async () => {
    expect([await page(false, true, false), await after(5_000)], 'the room is not there').toEqual([false, false]);
    expect([await page(true, true, false), await after(1_000)]).toEqual([false, false]);
    expect([await page(true, true, true), await after(30), await after(100)]).toEqual([false, false, true]);
  });

  it('does not wait for a frame for ever', async () => {
    await page(true, true, false);
    expect([await after(1_300), await after(250)]).toEqual([false, true]);
  });

  it('comes at once where no frame is to come', async () => {
    expect(await page(true, false, false)).toBe(true);
    expect(await page(true, true, false), 'nor waits when a video comes').toBe(true);
  });

  it('stays once it was shown', async () => {
    await page(true, true, true);
    expect(await after(200)).toBe(true);
    expect(await page(true, true, false), 'another reel is being opened').toBe(true);
    await page(true, false, false);
    expect(await page(true, true, false), 'the first video comes').toBe(true);
  });
});
