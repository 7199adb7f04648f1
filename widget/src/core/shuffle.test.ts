import { describe, expect, it } from 'vitest';
import { arrive, beginShuffle, goBack, upcoming, type Shuffle } from './shuffle';

const IDS = ['a', 'b', 'c', 'd', 'e', 'f'];

function run(shuffle: Shuffle, ids: readonly string[], steps: number): { shuffle: Shuffle; seen: string[] } {
  const seen: string[] = [];
  for (let step = 0; step < steps; step += 1) {
    const id = upcoming(shuffle, ids) ?? '';
    shuffle = arrive(shuffle, id, ids);
    seen.push(id);
  }
  return { shuffle, seen };
}

describe('shuffle', () => {
  it('shows all before anything comes again, and never the same twice in a row', () => {
    for (let seed = 0; seed < 200; seed += 1) {
      const { seen } = run(beginShuffle(seed, 'a'), IDS, 17);
      const shown = ['a', ...seen];
      for (const round of [0, 6, 12]) expect(new Set(shown.slice(round, round + 6)).size).toBe(6);
      expect(shown.every((id, index) => id !== shown[index + 1])).toBe(true);
    }
  });

  it('has another order for another seed, and in another round', () => {
    const orders = new Set(Array.from({ length: 50 }, (_, seed) => run(beginShuffle(seed, 'a'), IDS, 5).seen.join('')));
    expect(orders.size).toBeGreaterThan(20);
    expect(run(beginShuffle(7, 'a'), IDS, 5)).toEqual(run(beginShuffle(7, 'a'), IDS, 5));
  });

  it('goes back through what was shown, and the same way forward', () => {
    const { shuffle, seen } = run(beginShuffle(3, 'a'), IDS, 4);
    const back = goBack(goBack(shuffle, IDS), IDS);
    expect(back.trail[back.place]).toBe(seen[1]);
    expect(run(back, IDS, 2).seen).toEqual([seen[2], seen[3]]);
    expect(goBack(beginShuffle(3, 'a'), IDS)).toEqual(beginShuffle(3, 'a'));
  });

  it('takes what the viewer picks as shown', () => {
    const picked = arrive(beginShuffle(1, 'a'), 'd', IDS);
    expect(run(picked, IDS, 4).seen).not.toContain('d');
  });

  it('keeps its order when the list changes', () => {
    const { seen } = run(beginShuffle(5, 'a'), IDS, 5);
    const without = IDS.filter((id) => id !== seen[2]);
    expect(run(beginShuffle(5, 'a'), without, 4).seen).toEqual(seen.filter((id) => id !== seen[2]));
    expect(goBack(run(beginShuffle(5, 'a'), IDS, 1).shuffle, ['b', 'c']).place).toBe(1);
  });

  it('copes with a list of one, and of none', () => {
    expect(run(beginShuffle(1, 'a'), ['a'], 2).seen).toEqual(['a', 'a']);
    expect(upcoming(beginShuffle(1, null), [])).toBeNull();
  });
});
