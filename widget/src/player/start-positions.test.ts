import { describe, expect, it } from 'vitest';
import type { Item, Timeline } from '../core/timeline';
import { momentOf, resume, startOf } from './start-positions';

const item = (videoId: string, start: number, duration: number): Item => ({ videoId, start, duration });
const OLD: Timeline = [item('a', 0, 4), item('b', 4, 6)];

describe('resume', () => {
  it('leads to the same moment of the same video, wherever it is now and however little of it exists', () => {
    const place = resume({ item: OLD[1] ?? null, time: 9 }, 'stale');
    expect([place?.(OLD), place?.([item('b', 0, 2)]), place?.([item('c', 0, 3), item('b', 3, 6)])]).toEqual([9, 5, 8]);
  });

  it('follows a slot that plays on meanwhile', () => {
    const shown = { item: OLD[1] ?? null, time: 5 };
    const place = resume(shown, 'stale');
    shown.time = 7;
    expect(place?.(OLD)).toBe(7);
  });

  it('leads past what cannot be decoded, and to the beginning when the video is gone', () => {
    const place = resume({ item: OLD[0] ?? null, time: 1 }, 'media');
    expect([place?.(OLD), place?.([item('c', 0, 3)]), resume({ item: null, time: 0 }, 'network')]).toEqual([4, 0, null]);
  });
});

describe('momentOf', () => {
  it('leads to a moment of a video, never past its end, and to the beginning when it is gone', () => {
    expect([momentOf('b', 2.5)(OLD), momentOf('b', 99)(OLD), momentOf('gone', 2)(OLD)]).toEqual([6.5, 9.9, 0]);
  });
});

describe('startOf', () => {
  it('leads to a video, or to the beginning', () => {
    expect([startOf('b')?.(OLD), startOf('gone')?.(OLD), startOf(null)]).toEqual([4, 0, null]);
  });
});
