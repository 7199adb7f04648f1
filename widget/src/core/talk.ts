// What is said about one video: reactions and replies, made from events that anybody may have written. Pure.
import { nonceOf, withNonce } from './nonce';

/** At most so many are kept of one video; older replies can be read in the chat. */
export const MOST_REPLIES = 500;
const MOST_REACTIONS = 3_000;
const MOST_EDITS = 1_000;
const MOST_GONE = 2_000;
/** UTF-16 units: what homeservers allow an id, what is shown of a text, and of a reaction that is no emoji. */
const LONGEST_ID = 255;
const LONGEST_TEXT = 4_000;
const LONGEST_KEY = 200;
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

interface SentReaction {
  readonly key: string;
  readonly label: string;
  readonly sender: string;
  readonly at: number;
}

interface Edit extends Words {
  readonly target: string;
  readonly sender: string;
  readonly at: number;
}

/** What is known about one video; each map by event id. */
export interface Talk {
  readonly eventId: string;
  readonly reactions: ReadonlyMap<string, SentReaction>;
  readonly replies: ReadonlyMap<string, Reply>;
  readonly edits: ReadonlyMap<string, Edit>;
  /** Redacted ones: they may still arrive, from a page that is older than their redaction. */
  readonly gone: ReadonlySet<string>;
}

/** Everybody who reacted alike. */
export interface Reaction {
  /** What a further one has to say to be counted with these. */
  readonly key: string;
  /** What to show: short, one line. */
  readonly label: string;
  readonly count: number;
  /** The viewer's own events; empty when they did not react so. */
  readonly mine: readonly string[];
}

export const emptyTalk = (eventId: string): Talk => ({ eventId, reactions: new Map(), replies: new Map(), edits: new Map(), gone: new Set() });

type Json = Readonly<Record<string, unknown>>;

const recordOf = (value: unknown): Json => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {});
const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);
const idOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' && value.length <= LONGEST_ID ? value : null);

interface Envelope {
  readonly id: string;
  readonly type: string;
  readonly sender: string;
  readonly at: number;
  readonly content: Json;
  readonly relation: Json;
  readonly event: Json;
}

/** The parts that every event has; null when something is not what the specification says. `now`: milliseconds since the epoch. */
function envelopeOf(value: unknown, now: number): Envelope | null {
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
function redactedBy({ type, content, event }: Envelope): string | null {
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

/** True for a plain reply, which the homeserver does not list among the relations of what it answers (and for edits and redactions). */
export function isLoose(value: unknown): boolean {
  const envelope = envelopeOf(value, Infinity);
  if (envelope === null) return false;
  const { type, relation } = envelope;
  if (type === 'm.room.redaction') return true;
  return type === 'm.room.message' && (relation.rel_type === 'm.replace' || (relation.rel_type === undefined && repliedTo(relation) !== null));
}

const repliedTo = (relation: Json): string | null => idOf(recordOf(relation['m.in_reply_to']).event_id);

/** Text as it may stand on a page: no control characters, no towers of marks, no endless blank lines, not too long. */
function plain(text: string, longest: number): string {
  // Cut first, so that the rest is quick whatever was sent; and never through a pair of surrogates.
  const cut = text.length > longest ? `${text.slice(0, longest).replace(/[\uD800-\uDBFF]$/, '')}…` : text;
  return cut
    // Halves of characters.
    .replace(/\p{Cs}/gu, '')
    .replace(/\r\n?|[\u2028\u2029]/g, '\n')
    // eslint-disable-next-line no-control-regex -- these are what it is about
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '')
    .replace(/(\p{M}{4})\p{M}+/gu, '$1')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

/** Without the quote that older clients put before a reply (`> <@alice:example.org> …`, specification before v1.13). */
function withoutQuote(body: string): string {
  if (!/^> (\* )?<@/.test(body)) return body;
  const lines = body.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('>'));
  return end < 0 ? '' : lines.slice(end).join('\n');
}

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

/** Emoji are written with and without the selector for their colourful form (U+FE0F): to people that is the same. */
const sameKey = (key: string): string => key.replaceAll('\ufe0f', '');

/** An image (MSC4027) shows the name that its sender gave it, a text its beginning; null when nothing is left to show. */
function labelOf(key: string, content: Json): string | null {
  const image = key.startsWith('mxc://');
  const name = image ? (textOf(content.shortcode) ?? textOf(content['com.beeper.reaction.shortcode']) ?? '🖼️') : key;
  const label = plain(name.slice(0, LONGEST_KEY), LONGEST_LABEL).replace(/\s+/g, ' ');
  return /[\p{L}\p{N}\p{S}\p{P}]/u.test(label) ? label : null;
}

function reactionOf({ type, sender, at, content, relation }: Envelope, target: string): SentReaction | null {
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

function replyOf(envelope: Envelope, target: string, fromThread: boolean, bot: string | null): Reply | null {
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

function editOf({ type, sender, at, content, relation }: Envelope): Edit | null {
  const target = idOf(relation.event_id);
  if (type !== 'm.room.message' || relation.rel_type !== 'm.replace' || target === null) return null;
  const words = wordsOf(recordOf(content['m.new_content']), true);
  return words === null ? null : { target, sender, at, ...words };
}

/** Keeps the newest `most` of a map. */
function bounded<T extends { readonly at: number }>(map: Map<string, T>, most: number): Map<string, T> {
  if (map.size <= most) return map;
  return new Map([...map].sort(([, a], [, b]) => a.at - b.at).slice(-most));
}

export interface Learning {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** They are what the homeserver gave as the video's thread. */
  readonly fromThread?: boolean;
  /** Who sends for others. */
  readonly bot?: string | null;
}

/** The talk with what these events say about it, in any order; what does not belong to it, or makes no sense, changes nothing. */
export function learn(talk: Talk, events: readonly unknown[], { now, fromThread = false, bot = null }: Learning): Talk {
  const reactions = new Map(talk.reactions);
  const replies = new Map(talk.replies);
  const edits = new Map(talk.edits);
  const gone = new Set(talk.gone);
  const takeEdit = (envelope: Envelope | null): void => {
    const edit = envelope === null ? null : editOf(envelope);
    if (envelope !== null && edit !== null) edits.set(envelope.id, edit);
  };
  for (const value of events) {
    const envelope = envelopeOf(value, now);
    if (envelope === null) continue;
    const redacted = redactedBy(envelope);
    if (redacted !== null) gone.add(redacted);
    const reaction = reactionOf(envelope, talk.eventId);
    const reply = replyOf(envelope, talk.eventId, fromThread, bot);
    if (reaction !== null) reactions.set(envelope.id, reaction);
    if (reply !== null) replies.set(envelope.id, reply);
    takeEdit(envelope);
    // The homeserver hands out the newest edit with what it edits.
    if (reply !== null) takeEdit(envelopeOf(recordOf(recordOf(envelope.event.unsigned)['m.relations'])['m.replace'], now));
  }
  for (const id of gone) for (const map of [reactions, replies, edits]) map.delete(id);
  return {
    eventId: talk.eventId,
    reactions: bounded(reactions, MOST_REACTIONS),
    replies: bounded(replies, MOST_REPLIES),
    edits: bounded(edits, MOST_EDITS),
    gone: gone.size > MOST_GONE ? new Set([...gone].slice(-MOST_GONE)) : gone,
  };
}

/** The talk without some events, as if they had never been heard of: for what could not be sent. */
export function forget(talk: Talk, ids: readonly string[]): Talk {
  const without = <T>(map: ReadonlyMap<string, T>): Map<string, T> => new Map([...map].filter(([id]) => !ids.includes(id)));
  return { ...talk, reactions: without(talk.reactions), replies: without(talk.replies) };
}

/** Takes back that events are gone: their redaction was refused. */
export function restore(talk: Talk, before: Talk, ids: readonly string[]): Talk {
  const back = <T>(now: ReadonlyMap<string, T>, then: ReadonlyMap<string, T>): Map<string, T> => new Map([...now, ...[...then].filter(([id]) => ids.includes(id))]);
  return { ...talk, reactions: back(talk.reactions, before.reactions), replies: back(talk.replies, before.replies), gone: new Set([...talk.gone].filter((id) => !ids.includes(id))) };
}

/** The reactions by what they say, in the order in which each was first used; one per person counts. */
export function reactionsOf(talk: Talk, viewer: string | null): readonly Reaction[] {
  const groups = new Map<string, { first: SentReaction; senders: Set<string>; mine: string[] }>();
  for (const [id, reaction] of [...talk.reactions].sort(([, a], [, b]) => a.at - b.at)) {
    const name = sameKey(reaction.key);
    const group = groups.get(name) ?? { first: reaction, senders: new Set(), mine: [] };
    group.senders.add(reaction.sender);
    if (reaction.sender === viewer) group.mine.push(id);
    groups.set(name, group);
  }
  return [...groups.values()].map(({ first, senders, mine }) => ({ key: first.key, label: first.label, count: senders.size, mine }));
}

/** The most used ones, still in their order; always with the viewer's own before others as rare. */
export function foremost(reactions: readonly Reaction[], most: number): readonly Reaction[] {
  if (reactions.length <= most) return reactions;
  const rank = (reaction: Reaction): number => reaction.count + (reaction.mine.length > 0 ? 0.5 : 0);
  const chosen = new Set([...reactions].sort((a, b) => rank(b) - rank(a)).slice(0, most));
  return reactions.filter((reaction) => chosen.has(reaction));
}

/** The group that a key belongs to. */
export function reactionWith(reactions: readonly Reaction[], key: string): Reaction | undefined {
  return reactions.find((reaction) => sameKey(reaction.key) === sameKey(key));
}

/** True when something that `sender` sent once, under one of these nonces, which everybody can read, arrived several times. */
export function hasDoubles({ replies }: Talk, nonces: ReadonlySet<string>, sender: string | null): boolean {
  const arrived = [...replies.values()].filter(({ by, nonce }) => by === sender && nonce !== null && nonces.has(nonce)).map(({ nonce }) => nonce);
  return new Set(arrived).size < arrived.length;
}

/** The replies as they read now, oldest first, each once. Only whose event it is can edit a reply. */
export function repliesOf(talk: Talk): readonly Reply[] {
  const newest = new Map<string, Edit>();
  for (const edit of talk.edits.values()) {
    const other = newest.get(edit.target);
    if (talk.replies.get(edit.target)?.by === edit.sender && (other === undefined || other.at <= edit.at)) newest.set(edit.target, edit);
  }
  const current = [...talk.replies.values()].map((reply) => {
    const edit = newest.get(reply.id);
    return edit === undefined ? reply : { ...reply, kind: edit.kind, text: edit.text, edited: true };
  });
  const seen = new Set<string>();
  return current.sort((a, b) => a.at - b.at).filter(({ sender, nonce }) => {
    const name = `${sender} ${nonce}`;
    if (nonce === null || !seen.has(name)) { seen.add(name); return true; }
    return false;
  });
}

/** The content of a reaction (specification, 'Event annotations and reactions'). */
export function reactionContent(target: string, key: string): object {
  return { 'm.relates_to': { rel_type: 'm.annotation', event_id: target, key } };
}

/** The content of a reply in the video's thread; for clients without threads it is a reply to the newest one in it ('Threading', fallback). */
export function replyContent(talk: Talk, text: string, nonce: string): object {
  const newest = repliesOf(talk).filter(({ inThread, id }) => inThread && id.startsWith('$')).at(-1);
  return {
    ...message(text, nonce),
    'm.relates_to': {
      rel_type: 'm.thread',
      event_id: talk.eventId,
      is_falling_back: true,
      'm.in_reply_to': { event_id: newest?.id ?? talk.eventId },
    },
  };
}

/** The content of a plain reply: what is itself in a thread cannot begin one. */
export function plainReplyContent(target: string, text: string, nonce: string): object {
  return { ...message(text, nonce), 'm.relates_to': { 'm.in_reply_to': { event_id: target } } };
}

/** Nobody is mentioned by it: that would notify them. */
const message = (body: string, nonce: string): object => withNonce({ msgtype: 'm.text', body, 'm.mentions': {} }, nonce);

/** An event of our own before the homeserver has told it. */
export function ownEvent(id: string, type: string, sender: string, at: number, content: object): object {
  return { event_id: id, type, sender, origin_server_ts: at, content };
}

/** Code points of what the bot reacts with for somebody, at most. */
const LONGEST_FOR_OTHERS = 32;

/** True for what the bot reacts with for somebody: no image, and no sentence. */
export function isForOthers(key: string): boolean {
  return Array.from(key.slice(0, LONGEST_KEY)).length <= LONGEST_FOR_OTHERS && !key.startsWith('mxc://');
}

/** True for a reaction that is a picture rather than words. */
export function isEmoji(label: string): boolean {
  return /^(?:\p{Extended_Pictographic}|\p{Emoji_Component})+$/u.test(label) && !/^[\d#*]+$/.test(label);
}
