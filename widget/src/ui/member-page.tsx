// A member's public page once a script runs: the player, and below it everything that it plays.
import type { ComponentType } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { clock } from '../core/format';
import { fullDate } from './dates';
import { selectionOf, type Entry } from '../core/state';
import type { PageVisit } from '../visit/public';
import { titleFor } from './names';
import { PlayIcon } from './icons';
import { ServerImage } from './image';
import { SkipLink } from './skip-link';
import type { StageProps } from './stage';
import { useLocales, useText } from './text';
import { useAspect } from './use-aspect';
import { useStore } from './use-store';

interface CardProps {
  entry: Entry;
  current: boolean;
  onPick: () => void;
}

function Card({ entry: { video }, current, onPick }: CardProps) {
  const t = useText();
  const title = titleFor(video, t);
  const locales = useLocales();
  const date = new Date(video.createdAt);
  const seconds = Math.floor(video.duration ?? 0);
  return (
    <li class="card" id={video.id} data-testid="card" data-video-id={video.id} data-current={current}>
      <button type="button" class="card-picture" aria-label={t('widget-play-video', { title })} aria-current={current ? 'true' : undefined} onClick={onPick}>
        <ServerImage url={video.posterUrl} blurhash={video.blurhash} className="card-poster" />
        <span class="card-play" aria-hidden="true"><PlayIcon /></span>
      </button>
      <div class="card-text">
        <h2 title={video.title ?? title}><bdi>{title}</bdi></h2>
        <p>
          <time dateTime={date.toISOString()} title={fullDate(video.createdAt, locales)}>{new Intl.DateTimeFormat([...locales], { dateStyle: 'long' }).format(date)}</time> · <time dateTime={`PT${seconds}S`}>{clock(seconds)}</time>
        </p>
      </div>
    </li>
  );
}

/** Cards that are shown at first, and how many more come when the last one is nearly in sight. */
const PIECE = 60;
/** Pixels below the window from which on more are shown. */
const AHEAD = '800px';

/** How many of `length` cards to show: a piece more each time that the end comes near; those up to `least` in any case. */
function usePieces(length: number, least: number): { shown: number; more: () => void; end: { current: HTMLButtonElement | null } } {
  const [asked, ask] = useState(PIECE);
  const end = useRef<HTMLButtonElement>(null);
  const shown = Math.min(length, Math.max(asked, least));
  const more = (): void => ask(shown + PIECE);
  useEffect(() => {
    if (end.current === null) return undefined;
    const watch = new IntersectionObserver(([seen]) => { if (seen?.isIntersecting === true) more(); }, { rootMargin: AHEAD });
    watch.observe(end.current);
    return () => watch.disconnect();
  }, [shown, length]);
  return { shown, more, end };
}

interface MemberPageProps {
  visit: PageVisit;
  Stage: ComponentType<StageProps>;
}

export function MemberPage({ visit, Stage }: MemberPageProps) {
  const state = useStore(visit.state);
  const player = useStore(visit.player);
  const current = useStore(visit.playing);
  const t = useText();
  const entries = selectionOf(state)?.entries ?? [];
  const { shown, more, end } = usePieces(entries.length, entries.findIndex(({ video }) => video.id === current) + 1);
  const playing = entries.find(({ video }) => video.id === current) ?? null;
  const aspect = useAspect((playing ?? entries[0])?.video.aspect ?? null);
  const theatre = useRef<HTMLDivElement>(null);
  const pick = (entry: Entry): void => {
    visit.pick(entry);
    theatre.current?.scrollIntoView({ block: 'nearest', behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
  };
  return (
    <>
      <SkipLink />
      <div class="theatre" ref={theatre} style={aspect === null ? {} : { '--aspect': aspect }}>
        {player !== null && <Stage player={player} entry={playing} />}
      </div>
      <ol class="shelf">
        {entries.slice(0, shown).map((entry) => <Card key={entry.video.id} entry={entry} current={entry.video.id === current} onPick={() => pick(entry)} />)}
      </ol>
      {shown < entries.length && (
        <p class="pages"><button type="button" data-testid="more" ref={end} onClick={more}>{t('page-more')}</button></p>
      )}
    </>
  );
}
