// The strip of members: whose videos to watch.
import type { ComponentChildren } from 'preact';
import { isPlayable, type Member } from '../core/model';
import { EVERYONE, type State } from '../core/state';
import { EveryoneIcon } from './icons';
import { nameOf } from './names';
import { Avatar } from './picture';
import { useText } from './text';

interface ChoiceProps {
  id: string;
  label: string;
  note: string;
  name: string;
  count: number;
  /** How far the work on one of the videos is, from 0 to 1; null when there is none. */
  working: number | null;
  selected: boolean;
  onSelect: (key: string) => void;
  children: ComponentChildren;
}

function Choice({ id, label, note, name, count, working, selected, onSelect, children }: ChoiceProps) {
  return (
    <li>
      <button
        type="button"
        class="member"
        data-testid="member"
        data-member={id}
        data-empty={count === 0}
        aria-pressed={selected}
        title={label}
        onClick={() => onSelect(id)}
      >
        <span class="member-face" aria-hidden="true">
          {children}
          {working !== null && <span class="face-progress" style={{ '--share': working }} />}
          {count > 0 && <span class="badge">{count}</span>}
        </span>
        <bdi class="member-name">{name}</bdi>
        <span class="unseen">{note}</span>
      </button>
    </li>
  );
}

const playable = (member: Member): number => member.videos.filter(isPlayable).length;

function workOn(member: Member): number | null {
  const shares = member.videos.flatMap(({ progress }) => (progress === null ? [] : [progress.percent / 100]));
  return shares.length === 0 ? null : Math.max(...shares);
}

/** A mouse has no other way along a strip without a scroll bar. */
function scrollAlong(event: WheelEvent): void {
  if (event.currentTarget instanceof HTMLElement && event.deltaX === 0) event.currentTarget.scrollLeft += event.deltaY;
}

export function Members({ state, onSelect }: { state: State; onSelect: (key: string) => void }) {
  const t = useText();
  const members = state.room?.members ?? [];
  const total = members.reduce((sum, member) => sum + playable(member), 0);
  const choice = (id: string, name: string, count: number, working: number | null) => ({
    id,
    name,
    count,
    working,
    onSelect,
    label: t('widget-member-videos', { name, count }),
    note: t('widget-count', { count }),
    selected: state.selected === id,
  });
  return (
    <nav class="members" aria-label={t('widget-members')} data-testid="members" onWheel={scrollAlong}>
      <ul>
        {state.room?.channelUrl != null && (
          <Choice key={EVERYONE} {...choice(EVERYONE, t('widget-everyone'), total, null)}>
            <span class="avatar avatar-everyone"><EveryoneIcon /></span>
          </Choice>
        )}
        {members.map((member) => (
          <Choice key={member.userId} {...choice(member.userId, member.userId === state.viewer ? t('widget-you') : nameOf(member), playable(member), workOn(member))}>
            <Avatar url={member.avatarUrl} name={nameOf(member)} id={member.userId} />
          </Choice>
        ))}
      </ul>
    </nav>
  );
}
