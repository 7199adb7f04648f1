import { describe, expect, it } from 'vitest';
import { again, afterItem, offsetIn, resume, startOf } from './start-position';
import type { Item, Timeline } from './timeline';

const item = (videoId: string, start: number, duration: number): Item => ({ videoId, start, duration });
const OLD: Timeline = [item('a', 0, 4), item('b', 4, 6)];

describe('resume', () => {
  it('leads to the same offset in the same video, wherever it is now and however little of it exists', () => {
    const start = resume({ item: OLD[1] ?? null, time: 9 });
    expect([start?.(OLD), start?.([item('b', 0, 2)]), start?.([item('c', 0, 3), item('b', 3, 6)])]).toEqual([9, 5, 8]);
  });

  it('follows what plays on meanwhile', () => {
    const shown = { item: OLD[1] ?? null, time: 5 };
    const start = resume(shown);
    shown.time = 7;
    expect(start?.(OLD)).toBe(7);
  });

  it('skips what cannot be decoded, and leads to the start of the reel when the video is gone', () => {
    const start = resume({ item: OLD[0] ?? null, time: 1 }, true);
    expect([start?.(OLD), start?.([item('c', 0, 3)]), resume({ item: null, time: 0 })]).toEqual([4, 0, null]);
  });
});

describe('offsetIn', () => {
  it('leads into a video, never past its end, and to the start of the reel when it is gone', () => {
    expect([offsetIn('b', 2.5)(OLD), offsetIn('b', 99)(OLD), offsetIn('gone', 2)(OLD)]).toEqual([6.5, 9.9, 0]);
  });
});

describe('startOf', () => {
  it('leads to a video, or to the start of the reel', () => {
    expect([startOf('b')?.(OLD), startOf('gone')?.(OLD), startOf(null)]).toEqual([4, 0, null]);
  });
});

describe('afterItem and again', () => {
  const shown = { item: OLD[0] ?? null, time: 1, timeline: [...OLD, item('c', 10, 2)] };

  it('lead to what follows the video in the new order, or to the video itself', () => {
    const now = [item('c', 0, 2), item('a', 2, 4), item('d', 6, 1)];
    expect([afterItem(shown)(now), again(shown)(now)]).toEqual([6, 2]);
  });

  it('lead to what followed it before, when it is gone, and wrap at the end', () => {
    expect([afterItem(shown)([item('c', 0, 2), item('b', 2, 6)]), again(shown)([item('d', 0, 1), item('c', 1, 2)])]).toEqual([2, 1]);
    expect(afterItem(shown)([item('d', 0, 1), item('a', 1, 4)])).toBe(0);
  });
});
