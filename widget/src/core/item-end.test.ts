import { describe, expect, it } from 'vitest';
import { delayBefore, isAhead, isBuffered, isClose, isWatched, itemEnd } from './item-end';
import type { Item } from './timeline';

const ITEM: Item = { videoId: 'a', start: 10, duration: 30 };
const to = (target: number) => (): number => target;
const at = (time: number, rate = 1, end = 100): { time: number; end: number; rate: number } => ({ time, end, rate });

describe('an item that ends', () => {
  it('is prepared for in time, sooner when it plays faster', () => {
    expect([itemEnd(ITEM, at(27), 'one', to(10)), itemEnd(ITEM, at(29), 'one', to(10)), itemEnd(ITEM, at(27, 2), 'one', to(10))])
      .toEqual([null, { at: 40, target: 10, turns: true }, { at: 40, target: 10, turns: true }]);
  });

  it('goes on by itself in a list, and where the next video happens to follow', () => {
    expect([itemEnd(ITEM, at(39), 'list', to(0))?.turns, itemEnd(ITEM, at(39), 'shuffle', to(40.05))?.turns, itemEnd(ITEM, at(39), 'shuffle', to(60))?.turns]).toEqual([false, false, true]);
  });

  it('wraps at the end of the list, as far as that is buffered', () => {
    expect(itemEnd(ITEM, at(39, 1, 40.2), 'list', to(0))).toEqual({ at: 40.2, target: 0, turns: true });
    expect([isBuffered(0.5), isBuffered(1)]).toEqual([false, true]);
  });

  it('is watched frame by frame near its end alone', () => {
    expect([isWatched(ITEM, 37, 1), isWatched(ITEM, 38.5, 1), isWatched(ITEM, 37, 2)]).toEqual([false, true, true]);
  });

  it('leaves the last frames to a timer, which goes a little before them', () => {
    expect([isClose(40, 39.6, 1), isClose(40, 39.8, 1), isClose(40, 39.6, 2), isClose(40, 40.2, 1)]).toEqual([false, true, true, true]);
    expect([isAhead(40, 39.6, 1), isAhead(40, 39.8, 1), isAhead(40, 39.6, 2), isAhead(40, 41, 1)]).toEqual([true, false, false, false]);
    expect([delayBefore(40, 39.8, 1), delayBefore(40, 39.8, 2), delayBefore(40, 40.1, 1)].map(Math.round)).toEqual([140, 70, 0]);
  });
});
