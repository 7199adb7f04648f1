import { describe, expect, it } from 'vitest';
import { aMember, aRoom } from './samples';
import { membersOf, idsOf, IN_TURN, isSeveral, keyOf, MOST, toggled, turnsOf } from './together';

describe('keys of several', () => {
  it('are the same for the same members', () => {
    expect(keyOf(['@b:x', '@a:x', '@b:x'])).toBe('@a:x+@b:x');
  });

  it('can hold members whose ids have a plus', () => {
    const key = keyOf(['@a+b:x', '@c:x']);
    expect(idsOf(key)).toEqual(['@a+b:x', '@c:x']);
    expect(isSeveral('@a+b:x')).toBe(false);
  });

  it('tell whom to ask for', () => {
    expect(membersOf('@a:x+@b:x')).toEqual(['@a:x', '@b:x']);
    expect(membersOf(IN_TURN)).toEqual(['*']);
    expect([membersOf('@a:x'), membersOf('*'), membersOf(null)]).toEqual([[], [], []]);
  });

  it('get and lose members, but not the last', () => {
    expect(toggled('@a:x', '@b:x')).toBe('@a:x+@b:x');
    expect(toggled('@a:x+@b:x', '@a:x')).toBe('@b:x');
    expect(toggled('@b:x', '@b:x')).toBe('@b:x');
    expect([toggled('*', '@b:x'), toggled(IN_TURN, '@b:x'), toggled(null, '@b:x')]).toEqual(['@b:x', '@b:x', '@b:x']);
  });

  it('hold no more than the server takes', () => {
    const full = keyOf(Array.from({ length: MOST }, (_, index) => `@m${index}:x`));
    expect(toggled(full, '@one-more:x')).toBe(full);
    expect(idsOf(toggled(full, '@m7:x'))).toHaveLength(MOST - 1);
  });
});

describe('turns', () => {
  const [a, b, c] = [aMember('@a:x'), aMember('@b:x'), aMember('@c:x')];
  const room = (...members: string[]) => aRoom([a, b, c], { together: { members, reelUrl: '/r' } });

  it('are in the order of the server', () => {
    expect(turnsOf(room('@b:x', '@a:x'), '@a:x+@b:x')).toEqual([b, a]);
    expect(turnsOf(room('@c:x', '@b:x', '@a:x'), IN_TURN)).toEqual([c, b, a]);
  });

  it('are of those who are there', () => {
    expect(turnsOf(room('@a:x'), '@a:x+@gone:x')).toEqual([a]);
    expect(turnsOf(room(), '@gone:x+@too:x')).toBeNull();
  });

  it('are unknown while the answer is about others', () => {
    expect(turnsOf(room('@a:x', '@c:x'), '@a:x+@b:x')).toBeNull();
    expect(turnsOf(room('@a:x'), '@a:x+@b:x')).toBeNull();
    expect(turnsOf(room('@a:x', '@b:x', '@new:x'), '@a:x+@b:x')).toBeNull();
    expect(turnsOf(aRoom([a, b]), '@a:x+@b:x')).toBeNull();
  });
});
