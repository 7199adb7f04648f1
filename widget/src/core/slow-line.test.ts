import { describe, expect, it } from 'vitest';
import { LineWatch, slowLineUrl } from './slow-line';

describe('LineWatch', () => {
  it('says once that a video takes longer to load than it plays', () => {
    const line = new LineWatch();
    expect([line.add('a', 3, 1), line.add('a', 3, 1), line.add('a', 3, 1)]).toEqual([false, true, false]);
    expect([line.add('b', 1.9, 2), line.add('b', 1.9, 2), line.add('b', 9, 2)]).toEqual([false, false, true]);
  });
});

describe('slowLineUrl', () => {
  it('is beside the video, whatever plays it', () => {
    expect(slowLineUrl('https://x.org/reel/media/1.a/2.3/reel/4/abc/index.m3u8', 'v1')).toBe('https://x.org/reel/media/1.a/2.3/v/v1/slow');
    expect(slowLineUrl('/media/1.a/2.3/v/v1/1-a-ready/index.m3u8', 'v1')).toBe('/media/1.a/2.3/v/v1/slow');
    expect(slowLineUrl('/u/%40a%3Ax.org/reel/abc/index.m3u8', 'v1')).toBe('/u/%40a%3Ax.org/v/v1/slow');
    expect(slowLineUrl('blob:x', 'v1')).toBeNull();
  });
});
