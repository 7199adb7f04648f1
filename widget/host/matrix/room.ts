// The room as this page shows it, and how each response of the homeserver changes it. Pure.
import { recordOf, textOf, type Content, type JoinedRoom, type MatrixEvent } from './events';
import { entryOf, messageOf, type Entry } from './entry';

export interface Member {
  readonly name: string | null;
  readonly avatar: string | null;
}

/** A widget's state event that has content. */
export interface WidgetState {
  readonly id: string;
  readonly sender: string;
  readonly content: Content;
}

/** One person's reaction to an event. */
export interface Reaction {
  readonly id: string;
  readonly target: string;
  readonly key: string;
  readonly sender: string;
}

export interface Room {
  /** `unknown` before the first response. */
  readonly membership: 'unknown' | 'joined' | 'left';
  readonly name: string | null;
  readonly encrypted: boolean;
  readonly members: ReadonlyMap<string, Member>;
  readonly widgets: ReadonlyMap<string, WidgetState>;
  readonly entries: readonly Entry[];
  readonly reactions: readonly Reaction[];
}

export const UNKNOWN_ROOM: Room = { membership: 'unknown', name: null, encrypted: false, members: new Map(), widgets: new Map(), entries: [], reactions: [] };

/** What people call a member. */
export const nameOf = (room: Room, userId: string): string => room.members.get(userId)?.name ?? /^@([^:]+):/.exec(userId)?.[1] ?? userId;

/** The room after a sync response about it. */
export function applyJoined(room: Room, { state, timeline }: JoinedRoom): Room {
  // A limited timeline has a gap: start again after it.
  const start: Room = { ...room, membership: 'joined', entries: timeline?.limited === true ? [] : room.entries };
  const known = (state?.events ?? []).reduce(applyState, start);
  return (timeline?.events ?? []).reduce(applyEvent, known);
}

function applyEvent(room: Room, event: MatrixEvent): Room {
  const after = event.state_key === undefined ? room : applyState(room, event);
  if (event.type === 'm.room.redaction') return removed(after, textOf(event.content.redacts) ?? event.redacts ?? '');
  const relation = recordOf(event.content['m.relates_to']);
  if (event.type === 'm.reaction') return reacted(after, event, textOf(relation.event_id), textOf(relation.key));
  if (relation.rel_type === 'm.replace') return edited(after, event, textOf(relation.event_id));
  const entry = entryOf(event);
  if (entry === null || after.entries.some(({ id }) => id === entry.id)) return after;
  return { ...after, entries: [...after.entries, entry] };
}

function reacted(room: Room, { event_id: id, sender }: MatrixEvent, target: string | null, key: string | null): Room {
  const known = room.reactions.some((one) => one.id === id || (one.sender === sender && one.target === target && one.key === key));
  return target === null || key === null || known ? room : { ...room, reactions: [...room.reactions, { id, target, key, sender }] };
}

/** The reactions to an event: key → user ids. */
export function reactionsTo(room: Room, target: string): ReadonlyMap<string, readonly string[]> {
  const senders = new Map<string, string[]>();
  for (const { key, sender } of room.reactions.filter((one) => one.target === target)) senders.set(key, [...(senders.get(key) ?? []), sender]);
  return senders;
}

function removed(room: Room, id: string): Room {
  const reactions = room.reactions.filter((one) => one.id !== id);
  return { ...room, reactions, entries: room.entries.map((entry) => (entry.id === id ? { ...entry, kind: 'removed', text: '', file: null } : entry)) };
}

function edited(room: Room, event: MatrixEvent, target: string | null): Room {
  const message = messageOf(recordOf(event.content['m.new_content']));
  if (message === null) return room;
  const entries = room.entries.map((entry) =>
    entry.id === target && entry.sender === event.sender && entry.kind !== 'removed' ? { ...entry, ...message } : entry,
  );
  return { ...room, entries };
}

function applyState(room: Room, event: MatrixEvent): Room {
  const { type, content, state_key: key = '' } = event;
  switch (type) {
    case 'm.room.name':
      return { ...room, name: textOf(content.name) };
    case 'm.room.encryption':
      return { ...room, encrypted: true };
    case 'm.room.member':
      return { ...room, members: new Map(room.members).set(key, memberOf(content)) };
    case 'im.vector.modular.widgets':
      return { ...room, widgets: widgetsAfter(room.widgets, key, event) };
    default:
      return room;
  }
}

function memberOf(content: Content): Member {
  return { name: textOf(content.displayname), avatar: textOf(content.avatar_url) };
}

function widgetsAfter(widgets: Room['widgets'], id: string, { sender, content }: MatrixEvent): Room['widgets'] {
  // A limited sync repeats the state: what did not change must not reload the frame.
  if (JSON.stringify(widgets.get(id)?.content ?? {}) === JSON.stringify(content)) return widgets;
  const after = new Map(widgets);
  if (Object.keys(content).length === 0) after.delete(id);
  else after.set(id, { id, sender, content });
  return after;
}
