import { describe, expect, it } from 'vitest';
import { offsetsOf, revealed, rowAt, shiftOf, spanOf } from './rows';

const offsets = offsetsOf(Array.from({ length: 1000 }, (_, index) => (index === 3 ? 100 : 70)));

describe('rows', () => {
  it('lie one below the other', () => {
    expect(offsetsOf([])).toEqual([0]);
    expect([offsets[1], offsets[4], offsets[1000]]).toEqual([70, 310, 70_030]);
  });

  it('are found by their height in the list', () => {
    expect([-5, 0, 69, 70, 309, 310, 70_029, 1e9].map((place) => rowAt(offsets, place))).toEqual([0, 0, 0, 1, 3, 4, 999, 999]);
    expect(rowAt([0], 10)).toBe(0);
  });

  it('are built around what shows, and never the rest', () => {
    expect(spanOf(offsets, 0, 300, 0)).toEqual({ from: 0, to: 4 });
    const { from, to } = spanOf(offsets, 35_000, 300, 300);
    expect(from).toBeLessThanOrEqual(rowAt(offsets, 34_700));
    expect(to).toBeGreaterThan(rowAt(offsets, 35_600));
    expect(to - from).toBeLessThan(24);
    expect(spanOf(offsets, 70_000, 300, 300).to).toBe(1000);
    expect(spanOf([0], 0, 300, 300)).toEqual({ from: 0, to: 0 });
  });

  it('stand still when others come or go above them, whatever becomes of one of them', () => {
    const seen = new Map([['a', 0], ['b', 70], ['c', 140]]);
    const after = (offsets: Record<string, number>): number => shiftOf(seen, (id) => offsets[id]);
    expect(after({ a: 70, b: 140, c: 210 })).toBe(70);
    expect(after({ a: 9000, b: 0, c: 70 })).toBe(-70);
    expect(after({ b: 70, c: 140 })).toBe(0);
    expect(after({})).toBe(0);
  });

  it('are brought into view with the least scrolling', () => {
    expect(revealed(offsets, 0, 200, 300)).toBe(0);
    expect(revealed(offsets, 4, 200, 300)).toBe(200);
    expect(revealed(offsets, 10, 200, 40)).toBe(730);
    expect(revealed(offsets, 999, 200, 300)).toBe(70_030 - 300);
  });

  it('are brought into view with the next one, or at the top where there is no room for two', () => {
    expect(revealed(offsets, 10, 200, 300)).toBe(730 + 2 * 70 - 300);
    expect(revealed(offsets, 10, 200, 100)).toBe(730);
  });
});
