import { describe, expect, it } from 'vitest';
import { mergedOrder, movedTo } from './order';

describe('orders', () => {
  const merged = (base: string, wanted: string, now: string): string => mergedOrder(base.split(' '), wanted.split(' '), now.split(' ')).join(' ');

  it('become what was wanted where nothing else happened', () => {
    for (const wanted of ['a b c d', 'd c b a', 'b a d c', 'd a b c', 'b c d a']) expect(merged('a b c d', wanted, 'a b c d')).toBe(wanted);
  });

  it('keep what others did beside it', () => {
    expect(merged('a b c d', 'd a b c', 'b a c d')).toBe('d b a c');
    expect(merged('a b c', 'c a b', 'a new b c')).toBe('c a new b');
    expect(merged('a b c', 'b c a', 'b c')).toBe('b c');
    expect(merged('a b c', 'c a b', 'a b')).toBe('a b');
  });

  it('take one to a place', () => {
    const to = (id: string, index: number): string => movedTo(['a', 'b', 'c'], id, index).join(' ');
    expect([to('a', 1), to('a', 9), to('c', 0), to('c', -1), to('b', 1)]).toEqual(['b a c', 'b c a', 'c a b', 'c a b', 'a b c']);
  });
});
