// Reactions and replies as the page shows them: grouped, in order, with their edits applied.
import type { Reply, ReplyEdit, SentReaction } from './events';
import type { Talk } from './state';

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

/** Emoji are written with and without the selector for their colourful form (U+FE0F): to people that is the same. */
const sameKey = (key: string): string => key.replaceAll('\ufe0f', '');

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
  const newest = new Map<string, ReplyEdit>();
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
