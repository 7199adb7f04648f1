// Several members' videos by turns, as one selection: its key, whom to request of the server, and what a face adds or takes.
import type { Member, Room } from './model';

/** Everybody by turns. The other keys of several are their user ids, which begin with `@`, joined by `+`. */
export const IN_TURN = '+';
/** As many the server takes by name. */
export const MOST = 50;

/** One key for the same members, however they were chosen. */
export function keyOf(userIds: readonly string[]): string {
  return [...new Set(userIds)].sort().join('+');
}

/** Whose faces belong to a key, without IN_TURN and the channel; a user id may hold a `+` itself. */
export function idsOf(key: string): readonly string[] {
  return key.startsWith('@') ? key.split(/\+(?=@)/) : [];
}

export function isSeveral(key: string): boolean {
  return key === IN_TURN || idsOf(key).length > 1;
}

/** Whose videos the server has to put together, as it takes them; nobody's for one member or the channel. */
export function membersOf(key: string | null): readonly string[] {
  if (key === null || !isSeveral(key)) return [];
  return key === IN_TURN ? ['*'] : idsOf(key);
}

/** The key when a face is added to those chosen, or taken from them; the last one stays. */
export function toggled(key: string | null, userId: string): string {
  const chosen = key === null ? [] : idsOf(key);
  if (!chosen.includes(userId)) return chosen.length < MOST ? keyOf([...chosen, userId]) : keyOf(chosen);
  return chosen.length > 1 ? keyOf(chosen.filter((each) => each !== userId)) : userId;
}

/** Who of a key is there, in the order of their turns; null while the server's response is about others. */
export function turnsOf(room: Room, key: string): readonly Member[] | null {
  const ids = new Set(idsOf(key));
  const there = new Map(room.members.filter(({ userId }) => key === IN_TURN || ids.has(userId)).map((member) => [member.userId, member]));
  const turns = room.together?.members.map((userId) => there.get(userId)) ?? [];
  const known = turns.filter((member) => member !== undefined);
  // Not all members of a large room are known.
  if (key === IN_TURN && room.large !== null && room.large.moreMembers > 0) return known.length > 0 ? known : null;
  return known.length > 0 && known.length === turns.length && known.length === there.size ? known : null;
}
