import { describe, expect, it } from 'vitest';
import type { Loop } from './choices';
import { PlayOrder, type Playing } from './play-order';
import type { Timeline } from './timeline';

const LIST: Timeline = ['a', 'b', 'c', 'd'].map((videoId, index) => ({ videoId, start: index * 10, duration: 10 }));
const FIRST_FRAME = 0.04;

const playing = (index: number, timeline = LIST): Playing => ({ timeline, item: timeline[index] ?? null, time: index * 10 + 9, firstFrame: FIRST_FRAME });

function anOrder(loop: Loop): { order: PlayOrder; go: (index: number) => number } {
  const order = new PlayOrder(() => loop);
  order.restart(7, LIST[0]?.videoId ?? null);
  const go = (index: number): number => {
    const item = LIST[index];
    if (item === undefined) throw new Error('There is no such item.');
    order.arrived(item.videoId, LIST);
    return order.next(playing(index), item);
  };
  return { order, go };
}

describe('the order of play', () => {
  it('starts a list over at its first frame', () => {
    expect(anOrder('list').go(3)).toBe(FIRST_FRAME);
  });

  it('stays with one video, at its real start', () => {
    const { go } = anOrder('one');
    expect([go(2), go(0)]).toEqual([20, FIRST_FRAME]);
  });

  it('shows everything once in a shuffled round, and leads back the same way', () => {
    const { order, go } = anOrder('shuffle');
    const shown = [0];
    while (shown.length < LIST.length) shown.push(Math.round(go(shown.at(-1) ?? 0) / 10));
    go(shown.at(-1) ?? 0);
    expect([...shown].sort()).toEqual([0, 1, 2, 3]);
    expect(Math.round(order.previous(playing(shown[3] ?? 0)) / 10)).toBe(shown[2]);
  });

  it('takes over with the same video, the next one, or the one that the random order has', () => {
    const newer = [...LIST].reverse().map(({ videoId }, index) => ({ videoId, start: index * 10, duration: 10 }));
    expect([anOrder('one'), anOrder('list')].map(({ order }) => order.takeover(playing(1))(newer))).toEqual([20, 30]);
    const { order, go } = anOrder('shuffle');
    const next = LIST[Math.round(go(1) / 10)]?.videoId;
    expect(newer.find(({ start }) => start === order.takeover(playing(1))(newer))?.videoId).toBe(next);
  });

  it('corrects an end that passed unnoticed, unless it went where it should', () => {
    const { order } = anOrder('one');
    expect([order.correction(playing(2), 'b'), order.correction(playing(1), 'b'), order.correction(playing(1), null)]).toEqual([10, null, null]);
    expect(order.correction(playing(0, LIST.slice(2)), 'b')).toBe(null);
    expect(anOrder('list').order.correction(playing(2), 'b')).toBe(null);
    const shuffled = anOrder('shuffle');
    const wanted = shuffled.go(0);
    const other = [1, 2, 3].find((index) => index * 10 !== wanted) ?? 0;
    expect(shuffled.order.correction(playing(other), 'a')).toBe(wanted);
    expect(shuffled.order.correction(playing(wanted / 10), 'a')).toBe(null);
  });
});
