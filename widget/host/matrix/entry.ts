// Makes an entry of the timeline from an event. Pure.
import { numberOf, recordOf, textOf, type Content, type MatrixEvent } from './events';

export interface FileFacts {
  readonly name: string;
  readonly video: boolean;
  /** Bytes. */
  readonly size: number | null;
}

export interface Message {
  /** `line`: a state change, shown as a line. */
  readonly kind: 'text' | 'notice' | 'emote' | 'file' | 'line' | 'removed';
  readonly text: string;
  readonly file: FileFacts | null;
}

export interface Entry extends Message {
  readonly id: string;
  readonly sender: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** The root of the thread that it belongs to. */
  readonly thread: string | null;
  /** The event that a plain reply refers to. */
  readonly repliesTo: string | null;
  /** The transaction id, for its sender alone. */
  readonly transaction: string | null;
}

const REMOVED: Message = { kind: 'removed', text: '', file: null };

/** The event as a line of the timeline; null when people need not see it. */
export function entryOf(event: MatrixEvent): Entry | null {
  const message = shownOf(event);
  if (message === null) return null;
  const relation = recordOf(event.content['m.relates_to']);
  return {
    ...message,
    id: event.event_id,
    sender: event.sender,
    at: event.origin_server_ts,
    thread: relation.rel_type === 'm.thread' ? textOf(relation.event_id) : null,
    repliesTo: relation.rel_type === undefined ? textOf(recordOf(relation['m.in_reply_to']).event_id) : null,
    transaction: event.unsigned?.transaction_id ?? null,
  };
}

function shownOf(event: MatrixEvent): Message | null {
  switch (event.type) {
    case 'm.room.message':
      return event.unsigned?.redacted_because === undefined ? messageOf(event.content) : REMOVED;
    case 'm.room.encrypted':
      return event.unsigned?.redacted_because === undefined ? line('sent an encrypted message, to which this page has no key') : REMOVED;
    case 'm.room.member':
      return line(membershipLine(event));
    case 'm.room.name':
      return line(`named the room “${textOf(event.content.name) ?? ''}”`);
    case 'im.vector.modular.widgets':
      return line(widgetLine(event));
    default:
      return null;
  }
}

const line = (text: string | null): Message | null => (text === null ? null : { kind: 'line', text, file: null });

/** A message's content as people see it; null when it is none. */
export function messageOf(content: Content): Message | null {
  const body = textOf(content.body);
  if (body === null) return null;
  const type = content.msgtype;
  switch (type) {
    case 'm.notice':
      return { kind: 'notice', text: body, file: null };
    case 'm.emote':
      return { kind: 'emote', text: body, file: null };
    case 'm.video':
    case 'm.file':
    case 'm.audio':
    case 'm.image': {
      const info = recordOf(content.info);
      const video = type === 'm.video' || textOf(info.mimetype)?.startsWith('video/') === true;
      const name = textOf(content.filename) ?? body;
      return { kind: 'file', text: name === body ? '' : body, file: { name, video, size: numberOf(info.size) } };
    }
    default:
      return { kind: 'text', text: body, file: null };
  }
}

function membershipLine({ content, sender, state_key: about = '', unsigned }: MatrixEvent): string | null {
  const who = textOf(content.displayname) ?? textOf(unsigned?.prev_content?.displayname) ?? about;
  const before = unsigned?.prev_content?.membership;
  if (before === content.membership) return null;
  switch (content.membership) {
    case 'join':
      return 'joined the room';
    case 'invite':
      return `invited ${who}`;
    case 'ban':
      return `banned ${who}`;
    case 'leave':
      if (sender === about) return before === 'invite' ? 'declined the invitation' : 'left the room';
      return before === 'ban' ? `unbanned ${who}` : `removed ${who}`;
    default:
      return null;
  }
}

function widgetLine({ content, unsigned }: MatrixEvent): string {
  const name = (of: Content): string => textOf(of.name) ?? 'a widget';
  if (Object.keys(content).length === 0) return `removed ${name(unsigned?.prev_content ?? {})}`;
  return `${Object.keys(unsigned?.prev_content ?? {}).length > 0 ? 'changed' : 'added'} ${name(content)}`;
}
