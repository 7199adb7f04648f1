// Parses reactions, replies and edits from room events, which anybody may have written: what is malformed is none of them.
import { nonceOf } from '../nonce';
import { plain, withoutQuote } from './text';

/** UTF-16 units: what homeservers allow an id, what is shown of a text, and of a reaction that is no emoji. */
const LONGEST_ID = 255;
const LONGEST_TEXT = 4_000;
export const LONGEST_KEY = 200;
const LONGEST_LABEL = 24;

/** A reply as it was sent or edited. */
interface Words {
  /** `file`: the text is a caption, or the file's name. */
  readonly kind: 'text' | 'notice' | 'emote' | 'file';
  readonly text: string;
}

export interface Reply extends Words {
  readonly id: string;
  readonly sender: string;
  /** Whose event it is: the bot's, where it said it on the sender's behalf. */
  readonly by: string;
  /** Milliseconds since the epoch, never later than it was heard of. */
  readonly at: number;
  /** By which what arrives several times is known for the same; null for what other clients sent. */
  readonly nonce: string | null;
  /** In the video's thread; otherwise a plain reply to it. */
  readonly inThread: boolean;
  readonly edited: boolean;
}

export interface SentReaction {
  readonly key: string;
  readonly label: string;
  readonly sender: string;
  readonly at: number;
}

export interface ReplyEdit extends Words {
  readonly target: string;
  readonly sender: string;
  readonly at: number;
}

type Json = Readonly<Record<string, unknown>>;

export const recordOf = (value: unknown): Json => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {});
const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const idOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' && value.length <= LONGEST_ID ? value : null);

export interface Envelope {
  readonly id: string;
  readonly type: string;
  readonly sender: string;
  readonly at: number;
  readonly content: Json;
  readonly relation: Json;
  readonly event: Json;
}

/** The parts that every event has; null when something is not what the specification says. `now`: milliseconds since the epoch. */
export function envelopeOf(value: unknown, now: number): Envelope | null {
  const event = recordOf(value);
  const id = idOf(event.event_id);
  const sender = idOf(event.sender);
  const type = idOf(event.type);
  if (id === null || sender === null || type === null || !/^@[^:]*:./.test(sender) || typeof event.state_key === 'string') return null;
  const sent = typeof event.origin_server_ts === 'number' && event.origin_server_ts > 0 ? event.origin_server_ts : 0;
  const content = recordOf(event.content);
  return { id, type, sender, at: Math.min(sent, now), content, relation: recordOf(content['m.relates_to']), event };
}

/** The event that a redaction takes away; its place depends on the room's version. Null when it is no redaction. */
export function redactedBy({ type, content, event }: Envelope): string | null {
  return type === 'm.room.redaction' ? (idOf(content.redacts) ?? idOf(event.redacts)) : null;
}

/** The event that a reaction, a reply or an edit is about; null when the event is none of them. */
export function targetOf(value: unknown): string | null {
  const envelope = envelopeOf(value, Infinity);
  if (envelope === null) return null;
  return redactedBy(envelope) ?? idOf(envelope.relation.event_id) ?? repliedTo(envelope.relation);
}

/** True for a reaction by which the bot itself says something; what it sends on somebody's behalf has a nonce. */
export function isMarkOf(value: unknown, bot: string): boolean {
  const envelope = envelopeOf(value, Infinity);
  return envelope?.type === 'm.reaction' && envelope.sender === bot && nonceOf(envelope.content) === null;
}

/** True for a plain reply, which the homeserver does not list among the relations of what it replies to (and for edits and redactions). */
export function isLoose(value: unknown): boolean {
  const envelope = envelopeOf(value, Infinity);
  if (envelope === null) return false;
  const { type, relation } = envelope;
  if (type === 'm.room.redaction') return true;
  return type === 'm.room.message' && (relation.rel_type === 'm.replace' || (relation.rel_type === undefined && repliedTo(relation) !== null));
}

const repliedTo = (relation: Json): string | null => idOf(recordOf(relation['m.in_reply_to']).event_id);

/** What a message says; null when it says nothing. HTML (`formatted_body`) is never looked at. */
function wordsOf(content: Json, isReply: boolean): Words | null {
  const body = textOf(content.body)?.slice(0, LONGEST_TEXT * 4);
  if (body === undefined) return null;
  const text = plain(isReply ? withoutQuote(body) : body, LONGEST_TEXT);
  if (text === '') return null;
  switch (content.msgtype) {
    case 'm.notice':
      return { kind: 'notice', text };
    case 'm.emote':
      return { kind: 'emote', text };
    case 'm.image':
    case 'm.file':
    case 'm.audio':
    case 'm.video':
      return { kind: 'file', text };
    default:
      return { kind: 'text', text };
  }
}

/** An image (MSC4027) shows the name that its sender gave it, a text its beginning; null when nothing is left to show. */
function labelOf(key: string, content: Json): string | null {
  const image = key.startsWith('mxc://');
  const name = image ? (textOf(content.shortcode) ?? textOf(content['com.beeper.reaction.shortcode']) ?? '🖼️') : key;
  const label = plain(name.slice(0, LONGEST_KEY), LONGEST_LABEL).replace(/\s+/g, ' ');
  return /[\p{L}\p{N}\p{S}\p{P}]/u.test(label) ? label : null;
}

export function reactionOf({ type, sender, at, content, relation }: Envelope, target: string): SentReaction | null {
  const key = textOf(relation.key);
  if (type !== 'm.reaction' || relation.rel_type !== 'm.annotation' || relation.event_id !== target) return null;
  if (key === null || key.length > LONGEST_KEY) return null;
  const label = labelOf(key, content);
  return label === null ? null : { key, label, sender, at };
}

/** Whose a message of the bot's is that it sent on somebody's behalf, and their words (MSC4144). The bot alone is believed that. */
function spokenFor({ sender, content }: Envelope, bot: string | null): { sender: string; content: Json } {
  const { id, displayname } = recordOf(content['com.beeper.per_message_profile']);
  const [person, name, body] = [idOf(id), textOf(displayname), textOf(content.body)];
  if (sender !== bot || person === null || name === null || body === null) return { sender, content };
  const prefix = `${name}: `;
  // Before the text is a word joiner, which keeps it from being a command to some other bot.
  const text = body.startsWith(prefix) ? body.slice(prefix.length).replace(/^\u2060/, '') : body;
  return { sender: person, content: { ...content, body: text } };
}

export function replyOf(envelope: Envelope, target: string, fromThread: boolean, bot: string | null): Reply | null {
  const { id, type, at, relation } = envelope;
  if (type !== 'm.room.message') return null;
  const { sender, content } = spokenFor(envelope, bot);
  const { rel_type: kind } = relation;
  // Some clients hand out an edited event with its new content, in which the relation is missing.
  const inThread = (kind === 'm.thread' && relation.event_id === target) || (fromThread && kind === undefined);
  if (!inThread && (kind !== undefined || repliedTo(relation) !== target)) return null;
  const words = wordsOf(content, relation['m.in_reply_to'] !== undefined);
  return words === null ? null : { id, sender, by: envelope.sender, at, nonce: nonceOf(content), inThread, edited: false, ...words };
}

export function editOf({ type, sender, at, content, relation }: Envelope): ReplyEdit | null {
  const target = idOf(relation.event_id);
  if (type !== 'm.room.message' || relation.rel_type !== 'm.replace' || target === null) return null;
  const words = wordsOf(recordOf(content['m.new_content']), true);
  return words === null ? null : { target, sender, at, ...words };
}
