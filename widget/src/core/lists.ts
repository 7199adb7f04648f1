// Which part of a list of a large room is known.
import type { ListWindow, Member, Room } from './model';

const NOTHING: ListWindow = { loaded: false, start: 0, before: false, after: true, outside: new Set() };

/** The window of a member's list, or of everybody's (`*`); null where all of it is known. */
export function windowOf({ large, members }: Room, key: string): ListWindow | null {
  if (large === null) return null;
  const window = large.windows.get(key);
  if (window !== undefined) return window.before || window.after ? window : null;
  return (members.find(({ userId }) => userId === key)?.more ?? 0) === 0 && key !== '*' ? null : NOTHING;
}

/** Several members' lists as one: as many rounds are known as of the one of whom the least is. Null where all of them are whole. */
export function turnsInWindow(room: Room, turns: readonly Member[]): (ListWindow & { readonly rounds: number }) | null {
  const windows = turns.map((member) => ({ member, window: windowOf(room, member.userId) }));
  const parts = windows.flatMap(({ member, window }) => (window === null ? [] : [{ member, window }]));
  if (parts.length === 0) return null;
  // What does not begin at its list's begin cannot be put into rounds.
  const known = parts.map(({ member: { videos }, window }) => (window.loaded && !window.before ? videos.filter(({ id, state }) => !window.outside.has(id) && state !== 'failed').length : 0));
  return { loaded: parts.every(({ window }) => window.loaded), start: 0, before: false, after: true, outside: new Set(), rounds: Math.min(...known) };
}

/** What the list of a selection is made of: whose pages it needs. */
export function listsOf(key: string, turns: readonly Member[]): readonly string[] {
  return turns.length === 0 ? [key] : turns.map(({ userId }) => userId);
}
