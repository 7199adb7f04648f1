// Reactions to a video: how many said what, and ways to say it too.
import { foremost, reactionWith, type Reaction } from '../../core/talk';
import { isLocal } from '../../talk/keeper';
import { useLanguage, useText } from '../text';
import { nameOfEmoji } from './emoji';
import { Picker } from './picker';
import type { Access } from './use-talk';

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
  const { keeper, permissions } = access;
  const choose = (key: string): void => {
    const found = reactionWith(reactions, key);
    const mine = found?.mine ?? [];
    if (mine.some(isLocal)) return;
    if (mine.length > 0) { void keeper.unreact(eventId, mine); return; }
    onReact?.(key);
    // In the writing of those who said it before, so that every client counts them together.
    void keeper.react(eventId, found?.key ?? key);
  };
  const mayToggle = ({ mine }: Reaction): boolean => permissions.has(mine.length > 0 ? 'sendRedaction' : 'sendReaction');
  return (
    <div class="reactions" data-testid="reactions">
      {permissions.has('sendReaction') && <Picker onChoose={choose} />}
      {foremost(reactions, most).map((reaction) => (
        <Chip key={reaction.key} reaction={reaction} onToggle={mayToggle(reaction) ? () => choose(reaction.key) : null} />
      ))}
    </div>
  );
}
