// Reactions to a video: how many said what, and ways to say it too.
import { isForOthers } from '../../core/talk/content';
import { foremost, reactionWith, type Reaction } from '../../core/talk/views';
import type { Permission } from '../../matrix/capabilities';
import { isLocal } from '../../talk/news';
import { ByBot } from '../by-bot';
import { Several } from '../several';
import { useLanguage, useText } from '../text';
import { nameOfEmoji } from './emoji';
import { Picker } from './picker';
import type { Access } from './use-talk';

/** To count it with the others', and to know that there is no equal one already, others' reactions have to be seen. */
export const REACTING: readonly Permission[] = ['seeReactions', 'seeRedactions', 'sendReaction', 'sendRedaction'];

interface ReactionsProps {
  access: Access;
  eventId: string;
  reactions: readonly Reaction[];
  /** How many kinds of them there is room for. */
  most: number;
  /** Hears what the viewer says now. */
  onReact?: (key: string) => void;
}

interface ChipProps {
  reaction: Reaction;
  /** Null where the viewer may not change it. */
  onToggle: (() => void) | null;
}

function Chip({ reaction: { key, label, count, mine }, onToggle }: ChipProps) {
  const t = useText();
  const name = nameOfEmoji(label, useLanguage());
  const face = (
    <>
      {name !== label && <span class="unseen">{name}</span>}
      <bdi class="chip-label" aria-hidden={name !== label}>{label}</bdi>
      <span class="chip-count">{count}</span>
    </>
  );
  const marks = { class: 'chip', title: t('widget-talk-reaction', { name, count }), 'data-testid': 'reaction', 'data-key': key, 'data-count': count, 'data-mine': mine.length > 0 };
  if (onToggle === null) return <span {...marks}>{face}</span>;
  return <button type="button" {...marks} aria-pressed={mine.length > 0} onClick={onToggle}>{face}</button>;
}

export function Reactions({ access, eventId, reactions, most, onReact }: ReactionsProps) {
  const { messenger, session, granted, declined, several } = access;
  const t = useText();
  const mayToggle = ({ key, mine }: Reaction): boolean => mine.every((id) => isLocal(id) || messenger.mayRedact(id)) && (!messenger.onBehalf || isForOthers(key));
  const choose = (key: string): void => {
    const found = reactionWith(reactions, key);
    const mine = found?.mine ?? [];
    if (mine.some(isLocal) || (found !== undefined && !mayToggle(found))) return;
    // The client prompts the viewer, if it does, as soon as they want it.
    void messenger.permissions.ask(...REACTING).then((allowed) => {
      if (!allowed) return undefined;
      if (mine.length > 0) return session.takeBack(eventId, mine);
      onReact?.(key);
      // In the writing of those who said it before, so that every client counts them together.
      return session.react(eventId, found?.key ?? key);
    });
  };
  const may = !REACTING.some((permission) => declined.has(permission));
  const asks = !REACTING.every((permission) => granted.has(permission));
  const free = several === 'no';
  // The page loads anew for that: what is chosen before would be lost.
  const first = free && asks && messenger.permissions.reloads;
  const note = !free ? <Several messenger={messenger} className="picker-note" anyway={false} /> : !asks ? <ByBot messenger={messenger} className="picker-note" /> : (
    <div class="picker-note">
      <p>{t('widget-talk-will-ask-react')}</p>
      {first && <button type="button" class="pill talk-ask" data-testid="ask-react" onClick={() => void messenger.permissions.ask(...REACTING)}>{t('widget-talk-continue')}</button>}
    </div>
  );
  return (
    <div class="reactions" data-testid="reactions">
      {may && <Picker note={note} usable={free && !first} onChoose={choose} />}
      {foremost(reactions, most).map((reaction) => (
        <Chip key={reaction.key} reaction={reaction} onToggle={may && free && mayToggle(reaction) ? () => choose(reaction.key) : null} />
      ))}
    </div>
  );
}
