// What is known of the reactions and replies to one video, put together from events in any order.
import { editOf, envelopeOf, reactionOf, recordOf, redactedBy, replyOf, type Envelope, type Reply, type ReplyEdit, type SentReaction } from './events';

/** At most so many are kept of one video; older replies can be read in the chat. */
export const MOST_REPLIES = 500;
const MOST_REACTIONS = 3_000;
const MOST_EDITS = 1_000;
const MOST_GONE = 2_000;

/** What is known about one video; each map by event id. */
export interface Talk {
  readonly eventId: string;
  readonly reactions: ReadonlyMap<string, SentReaction>;
  readonly replies: ReadonlyMap<string, Reply>;
  readonly edits: ReadonlyMap<string, ReplyEdit>;
  /** Redacted ones: they may still arrive, from a page that is older than their redaction. */
  readonly gone: ReadonlySet<string>;
}

export const emptyTalk = (eventId: string): Talk => ({ eventId, reactions: new Map(), replies: new Map(), edits: new Map(), gone: new Set() });

/** Keeps the newest `most` of a map. */
function bounded<T extends { readonly at: number }>(map: Map<string, T>, most: number): Map<string, T> {
  if (map.size <= most) return map;
  return new Map([...map].sort(([, a], [, b]) => a.at - b.at).slice(-most));
}

export interface EventContext {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** They are what the homeserver gave as the video's thread. */
  readonly fromThread?: boolean;
  /** Who sends for others. */
  readonly bot?: string | null;
}

/** The talk with what these events say about it, in any order; what does not belong to it, or makes no sense, changes nothing. */
export function applyEvents(talk: Talk, events: readonly unknown[], { now, fromThread = false, bot = null }: EventContext): Talk {
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
export function withoutEvents(talk: Talk, ids: readonly string[]): Talk {
  const without = <T>(map: ReadonlyMap<string, T>): Map<string, T> => new Map([...map].filter(([id]) => !ids.includes(id)));
  return { ...talk, reactions: without(talk.reactions), replies: without(talk.replies) };
}

/** Takes back that events are gone: their redaction was refused. */
export function withoutRedactions(talk: Talk, before: Talk, ids: readonly string[]): Talk {
  const back = <T>(now: ReadonlyMap<string, T>, then: ReadonlyMap<string, T>): Map<string, T> => new Map([...now, ...[...then].filter(([id]) => ids.includes(id))]);
  return { ...talk, reactions: back(talk.reactions, before.reactions), replies: back(talk.replies, before.replies), gone: new Set([...talk.gone].filter((id) => !ids.includes(id))) };
}
