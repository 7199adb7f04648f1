// The strip of members: whose videos to watch, of one, of several by turns, or of everybody.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { isPlayable, type Member } from '../core/model';
import { EVERYONE, inStrip, selectionOf, type State } from '../core/state';
import { idsOf, IN_TURN, isSeveral, toggled } from '../core/together';
import { EveryoneIcon, InTurnIcon, SeveralIcon } from './icons';
import { lazy } from './lazy';
import { calledBy, labelOf, nameOf } from './names';
import { Avatar } from './image';
import { useLanguage, useText } from './text';
import { useRoving } from './roving';
import { useInSight } from './use-in-sight';
import { useVisit } from './visit';

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

/** More than a badge has room for. */
const MANY = 1_000;

function Choice({ id, label, note, name, count, working, selected, onSelect, children }: ChoiceProps) {
  const language = useLanguage();
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
          {count > 0 && <span class="badge">{count < MANY ? count : new Intl.NumberFormat(language, { notation: 'compact' }).format(count)}</span>}
        </span>
        <bdi class="member-name">{name}</bdi>
        <span class="unseen">{note}</span>
      </button>
    </li>
  );
}

// Only where somebody has one.
const MovingFace = lazy(() => import('./moving-face').then((module) => module.MovingFace));

function Face({ member }: { member: Member }) {
  const clip = member.videoAvatarUrl;
  const posterUrl = member.videos.find(({ isVideoAvatar }) => isVideoAvatar)?.posterUrl ?? null;
  return (
    <>
      <Avatar url={member.avatarUrl} name={nameOf(member)} id={member.userId} />
      {clip !== null && <MovingFace url={clip} posterUrl={posterUrl} />}
    </>
  );
}

const playable = ({ videos, morePlayable }: Member): number => videos.filter(isPlayable).length + morePlayable;

function workOn(member: Member): number | null {
  const shares = member.videos.flatMap(({ progress }) => (progress === null ? [] : [progress.percent / 100]));
  return shares.length === 0 ? null : Math.max(...shares);
}

/** A mouse has no other way along a strip without a scroll bar. */
function scrollAlong(event: WheelEvent): void {
  if (event.currentTarget instanceof HTMLElement && event.deltaX === 0) event.currentTarget.scrollLeft += event.deltaY;
}

/** Pixels behind what shows of the strip from which on more members are loaded. */
const AHEAD = '600px';

interface SeveralProps {
  choosing: boolean;
  onToggle: () => void;
}

/** While it is pressed, each face adds its member to those who take turns, or takes them away. */
function Several({ choosing, onToggle }: SeveralProps) {
  const t = useText();
  const label = t('widget-choose-several');
  return (
    <button type="button" class="icon-button tool member-several" data-testid="several" aria-label={label} aria-pressed={choosing} title={label} onClick={onToggle}>
      <SeveralIcon />
    </button>
  );
}

/** What is chosen, said to those who do not see the rings. */
function Chosen({ state }: { state: State }) {
  const t = useText();
  const selection = selectionOf(state);
  return <p class="unseen" role="status">{selection !== null && selection.turns.length > 0 && t('widget-chosen', { name: labelOf(selection, state.viewer, t) })}</p>;
}

/** Stands behind the known members of a large room; others are loaded when it is nearly in sight. */
function MoreMembers({ strip, known }: { strip: { readonly current: HTMLElement | null }; known: number }) {
  const visit = useVisit();
  const end = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (end.current === null) return undefined;
    const watch = new IntersectionObserver(([seen]) => seen?.isIntersecting === true && void visit.members(), { root: strip.current, rootMargin: AHEAD });
    watch.observe(end.current);
    return () => watch.disconnect();
  }, [known]);
  return <li ref={end} class="member-more" aria-hidden="true"><span class="bone bone-face" /></li>;
}

export function Members({ state, onSelect }: { state: State; onSelect: (key: string) => void }) {
  const t = useText();
  const { room, viewer } = state;
  const members = room === null ? [] : inStrip(room, viewer);
  const total = members.reduce((sum, { videos }) => sum + videos.filter(isPlayable).length, room?.large?.morePlayable ?? 0);
  const key = state.wanted ?? state.selected;
  const [choosing, setChoosing] = useState(key !== null && isSeveral(key));
  const strip = useRef<HTMLElement>(null);
  useRoving(strip, '.member', '[aria-pressed="true"]');
  // Of several chosen ones, none is more than the others.
  useInSight(strip, '[aria-pressed="true"]', choosing ? null : key);
  const chosen = new Set(key === null ? [] : idsOf(key));
  const choice = (id: string, name: string, count: number, working: number | null) => ({
    id,
    name,
    count,
    working,
    onSelect: id.startsWith('@') && choosing ? (userId: string) => onSelect(toggled(key, userId)) : onSelect,
    label: t('widget-member-videos', { name, count }),
    note: t('widget-count', { count }),
    selected: key === id || chosen.has(id),
  });
  const inTurn = choosing && (
    <Choice key={IN_TURN} {...choice(IN_TURN, t('widget-in-turn'), total, null)} name={t('widget-in-turn-short')}>
      <span class="avatar avatar-everyone"><InTurnIcon /></span>
    </Choice>
  );
  const everyone = room?.channelUrl != null && (
    <Choice key={EVERYONE} {...choice(EVERYONE, t('widget-everyone'), total, null)}>
      <span class="avatar avatar-everyone"><EveryoneIcon /></span>
    </Choice>
  );
  const faces = members.map((member) => (
    <Choice key={member.userId} {...choice(member.userId, calledBy(viewer, member, t), playable(member), workOn(member))}>
      <Face member={member} />
    </Choice>
  ));
  // One alone takes no turns.
  const several = choosing || members.filter(({ reelUrl }) => reelUrl !== null).length > 1;
  return (
    <>
      <nav ref={strip} class="members" aria-label={t('widget-members')} data-testid="members" data-choosing={choosing} onWheel={scrollAlong}>
        <ul>{room?.direct === true ? [faces, everyone, inTurn] : [everyone, inTurn, faces]}{(room?.large?.moreMembers ?? 0) > 0 && <MoreMembers strip={strip} known={members.length} />}</ul>
        <Chosen state={state} />
      </nav>
      {several && <Several choosing={choosing} onToggle={() => setChoosing(!choosing)} />}
    </>
  );
}
