// The contents of the reactions and replies that the widget sends.
import { withNonce } from '../nonce';
import { LONGEST_KEY } from './events';
import type { Talk } from './state';
import { repliesOf } from './views';

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

/** An event of our own before the homeserver has sent it. */
export function localEvent(id: string, type: string, sender: string, at: number, content: object): object {
  return { event_id: id, type, sender, origin_server_ts: at, content };
}

/** Code points of what the bot reacts with for somebody, at most. */
const LONGEST_FOR_OTHERS = 32;

/** True for what the bot reacts with for somebody: no image, and no sentence. */
export function isForOthers(key: string): boolean {
  return Array.from(key.slice(0, LONGEST_KEY)).length <= LONGEST_FOR_OTHERS && !key.startsWith('mxc://');
}

/** True for a reaction of emoji rather than words. */
export function isEmoji(label: string): boolean {
  return /^(?:\p{Extended_Pictographic}|\p{Emoji_Component})+$/u.test(label) && !/^[\d#*]+$/.test(label);
}
