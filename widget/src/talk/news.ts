// What others said since the talk about a video was last looked at.
import type { Reply } from '../core/talk/events';
import type { Talk } from '../core/talk/state';
import { repliesOf } from '../core/talk/views';
import { statusOf } from '../matrix/messenger';

/** Why something was not sent, where that is known: `busy`: too much at once; `refused`: the viewer may not. */
export type NotSent = 'busy' | 'refused' | null;

/** Something that happens now, to be seen over the video. */
export type TalkNews =
  | { readonly kind: 'reaction'; readonly eventId: string; readonly label: string }
  | { readonly kind: 'reply'; readonly eventId: string; readonly reply: Reply }
  | { readonly kind: 'not-sent'; readonly eventId: string; readonly why: NotSent };

/** Replies, and reactions, that are in `talk` and were not in `before`, without the viewer's own. */
export function newsBetween(before: Talk, talk: Talk, viewer: string | null): { readonly replies: readonly TalkNews[]; readonly reactions: readonly TalkNews[] } {
  const { eventId } = talk;
  const replies = repliesOf(talk).filter(({ id, sender }) => !before.replies.has(id) && sender !== viewer);
  const reactions = [...talk.reactions].filter(([id, { sender }]) => !before.reactions.has(id) && sender !== viewer);
  return {
    replies: replies.map((reply) => ({ kind: 'reply', eventId, reply })),
    reactions: reactions.map(([, { label }]) => ({ kind: 'reaction', eventId, label })),
  };
}

/** What the latest event of somebody else's has added; null when it added nothing that is seen. */
export function newsOf(before: Talk, { eventId, replies, reactions }: Talk, viewer: string | null): TalkNews | null {
  const reply = [...replies.values()].at(-1);
  if (reply !== undefined && !before.replies.has(reply.id) && reply.sender !== viewer) return { kind: 'reply', eventId, reply };
  const [id, reaction] = [...reactions].at(-1) ?? [];
  if (id === undefined || reaction === undefined || before.reactions.has(id) || reaction.sender === viewer) return null;
  return { kind: 'reaction', eventId, label: reaction.label };
}

export function notSentBecause(error: unknown): NotSent {
  const status = statusOf(error);
  return status === 429 ? 'busy' : status === 403 ? 'refused' : null;
}

/** It has not reached the homeserver yet. */
export const isLocal = (id: string): boolean => id.startsWith('~');
