// On the video: reactions under the title, and for some seconds what somebody says now.
import { useEffect, useRef, useState } from 'preact/hooks';
import { isEmoji } from '../../core/talk/content';
import type { Reply } from '../../core/talk/events';
import type { Entry } from '../../core/state';
import type { NotSent } from '../../talk/news';
import { repliesOverPicture } from '../../talk/preferences';
import { useText } from '../text';
import { useStore } from '../use-store';
import { Person } from './person';
import { Reactions } from './reactions';
import { useTalk, useTalkAccess, type Access } from './use-talk';
import './talk.css';

/** Milliseconds for which a new reply, or an emoji, stays. */
const REPLY_STAYS = 6_000;
const BURST_STAYS = 2_600;
const MOST_BURSTS = 14;
/** Kinds of reactions that have a place under the title. */
const MOST_CHIPS = 8;

const calm = matchMedia('(prefers-reduced-motion: reduce)');

interface Burst {
  readonly id: number;
  readonly label: string;
  /** Shares of the video's width, and of a turn. */
  readonly place: number;
  readonly tilt: number;
}

/** The emoji that rise now; `add` lets one more rise. */
function useBursts(): [readonly Burst[], (label: string) => void] {
  const [bursts, setBursts] = useState<readonly Burst[]>([]);
  const count = useRef(0);
  const add = (label: string): void => {
    if (calm.matches || document.hidden || !isEmoji(label)) return;
    const burst = { id: ++count.current, label, place: 0.12 + 0.76 * Math.random(), tilt: (Math.random() - 0.5) / 8 };
    setBursts((before) => [...before.slice(-MOST_BURSTS + 1), burst]);
    setTimeout(() => setBursts((before) => before.filter(({ id }) => id !== burst.id)), BURST_STAYS);
  };
  return [bursts, add];
}

function useMoment<T>(milliseconds: number): [T | null, (value: T | null) => void] {
  const [value, setValue] = useState<T | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const show = (next: T | null): void => {
    clearTimeout(timer.current);
    setValue(next);
    timer.current = setTimeout(() => setValue(null), milliseconds);
  };
  useEffect(() => () => clearTimeout(timer.current), []);
  return [value, show];
}

function OverPicture({ access, eventId }: { access: Access; eventId: string }) {
  const t = useText();
  const { session, granted } = access;
  const { status, reactions } = useTalk(access, eventId);
  const reading = useStore(session.reading);
  const [bursts, burst] = useBursts();
  const [said, say] = useMoment<Reply>(REPLY_STAYS);
  const [failed, fail] = useMoment<{ readonly why: NotSent }>(REPLY_STAYS);
  useEffect(() => session.show(eventId), [session, eventId, granted]);
  useEffect(() => {
    say(null);
    return session.onNews((news) => {
      if (news.eventId !== eventId) return;
      if (news.kind === 'reaction') burst(news.label);
      else if (news.kind === 'not-sent') fail(news);
      else if (repliesOverPicture.get() === 'yes' && session.reading.get() !== eventId) say(news.reply);
    });
  }, [session, eventId]);
  if (status === 'loading' || status === 'elsewhere') return null;
  return (
    <>
      <div class="talk-bar">
        <Reactions access={access} eventId={eventId} reactions={reactions} most={MOST_CHIPS} onReact={burst} />
      </div>
      <div class="bursts" aria-hidden="true" data-testid="bursts">
        {bursts.map(({ id, label, place, tilt }) => (
          <span key={id} class="burst" style={{ '--place': place, '--tilt': `${tilt}turn` }}>{label}</span>
        ))}
      </div>
      <div class="talk-said" role="status">
        {said !== null && reading !== eventId && (
          <div class="said" data-testid="said">
            <Person userId={said.sender} />
            <p class="said-text" dir="auto">{said.text}</p>
          </div>
        )}
      </div>
      <div class="talk-said" role="alert">{failed !== null && <p class="said said-failed" data-testid="not-sent">{t(failed.why === null ? 'widget-talk-not-sent' : `widget-talk-not-sent-${failed.why}`)}</p>}</div>
    </>
  );
}

export function TalkOverPicture({ entry }: { entry: Entry | null }) {
  const access = useTalkAccess();
  return entry?.video.sentHere !== true ? null : <OverPicture access={access} eventId={entry.video.eventId} />;
}
