import { describe, expect, it } from 'vitest';
import { following, itemAt, itemOf, nextTarget, orderOf, previousTarget, stepTarget, timelineOf, withinItem, type Segment } from './timeline';

/** Two showings of a list of a (4 s) and b (6 s), in segments of 2 s. */
function segments(): Segment[] {
  const videos = ['a', 'a', 'b', 'b', 'b', 'a', 'a', 'b', 'b', 'b'];
  const discontinuities = [0, 0, 1, 1, 1, 2, 2, 3, 3, 3];
  return videos.map((video, index) => ({
    url: `https://x.test/media/1.s/room/v/${video}/720/${index}.m4s`,
    start: index * 2,
    duration: 2,
    discontinuity: discontinuities[index] ?? 0,
  }));
}

const timeline = timelineOf(segments());

describe('timelineOf', () => {
  it('makes one item of each showing', () => {
    expect(timeline).toEqual([
      { videoId: 'a', start: 0, duration: 4 },
      { videoId: 'b', start: 4, duration: 6 },
      { videoId: 'a', start: 10, duration: 4 },
      { videoId: 'b', start: 14, duration: 6 },
    ]);
  });

  it('tells a single video from its repetition', () => {
    const twice = [0, 1].map((index) => ({ url: '/v/a/1.m4s', start: index * 3, duration: 3, discontinuity: index }));
    expect(timelineOf(twice)).toHaveLength(2);
  });

  it('leaves out what names no video', () => {
    expect(timelineOf([{ url: '/other/1.m4s', start: 0, duration: 2, discontinuity: 0 }])).toEqual([]);
  });
});

describe('where things are', () => {
  it.each([
    [-1, 0],
    [0, 0],
    [3.9, 0],
    [3.99, 1],
    [4, 1],
    [19.9, 3],
    [25, 3],
  ])('at %d s shows item %d', (time, index) => {
    expect(itemAt(timeline, time)).toBe(index);
  });

  it('finds the nearest showing of a video', () => {
    expect([itemOf(timeline, 'a', 0), itemOf(timeline, 'a', 9.5), itemOf(timeline, 'a', 19)]).toEqual([0, 2, 2]);
    expect(itemOf(timeline, 'gone', 0)).toBe(-1);
  });

  it('has no item when it is empty', () => {
    expect([itemAt([], 3), nextTarget([], 3), previousTarget([], 3), stepTarget([], 3, 10)]).toEqual([-1, 0, 0, 3]);
  });
});

describe('moving', () => {
  it('goes to the next item and from the last to the first', () => {
    expect([nextTarget(timeline, 1), nextTarget(timeline, 15)]).toEqual([4, 0]);
  });

  it('restarts an item first, and goes back from its beginning, also over the start', () => {
    expect([previousTarget(timeline, 8), previousTarget(timeline, 5), previousTarget(timeline, 1)]).toEqual([4, 0, 14]);
  });

  it('steps within the item, stops at its start and goes over its end', () => {
    expect([stepTarget(timeline, 5, 3), stepTarget(timeline, 5, -10), stepTarget(timeline, 5, 10), stepTarget(timeline, 18, 10)]).toEqual([8, 4, 10, 0]);
  });
});

describe('an item in progress', () => {
  it('is not left by a step forward, and seeking ends at the live edge', () => {
    expect([stepTarget(timeline, 18, 10, true), stepTarget(timeline, 18, 1, true), stepTarget(timeline, 18, 1.9, true), stepTarget(timeline, 5, 10, true)]).toEqual([19.5, 19, 19.5, 10]);
    const last = { videoId: 'b', start: 14, duration: 6 };
    expect([withinItem(last, 90), withinItem(last, 2), withinItem(last, -1), withinItem(last, 90, true)]).toEqual([19.9, 16, 14, 19.5]);
  });

  it('keeps its place and the items before it as segments come', () => {
    expect(timelineOf(segments().slice(0, 3))).toEqual([{ videoId: 'a', start: 0, duration: 4 }, { videoId: 'b', start: 4, duration: 2 }]);
  });
});

describe('order', () => {
  it('lists each video once', () => {
    expect(orderOf(timeline)).toEqual(['a', 'b']);
  });

  it('knows what follows, with wrap, and begins at the start for a stranger', () => {
    expect([following(['a', 'b'], 'a'), following(['a', 'b'], 'b'), following(['a', 'b'], 'x'), following([], 'x')]).toEqual(['b', 'a', 'a', null]);
  });
});
