// A member's public page once a script runs: the player, and below it everything that it plays.
import type { ComponentType } from 'preact';
import { clock } from '../core/format';
import { selectionOf, type Entry } from '../core/state';
import type { PageVisit } from '../public-visit';
import { titleFor } from './names';
import { PlayIcon } from './icons';
import { Picture } from './picture';
import type { StageProps } from './stage';
import { useText } from './text';
import { useStore } from './use-store';

interface CardProps {
  entry: Entry;
  current: boolean;
  onPick: () => void;
}

function Card({ entry: { video }, current, onPick }: CardProps) {
  const t = useText();
  const title = titleFor(video, t);
  const date = new Date(video.createdAt);
  const spoken = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: 'long', timeZone: 'UTC' }).format(date);
  const seconds = Math.floor(video.duration ?? 0);
  return (
    <li class="card" id={video.id} data-testid="card" data-video-id={video.id} data-current={current}>
      <button type="button" class="card-picture" aria-label={t('widget-play-video', { title })} aria-current={current ? 'true' : undefined} onClick={onPick}>
        <Picture url={video.posterUrl} blurhash={video.blurhash} className="card-poster" />
        <span class="card-play" aria-hidden="true"><PlayIcon /></span>
      </button>
      <div class="card-text">
        <h2><bdi>{title}</bdi></h2>
        <p>
          <time dateTime={date.toISOString()}>{spoken}</time> · <time dateTime={`PT${seconds}S`}>{clock(seconds)}</time>
        </p>
      </div>
    </li>
  );
}

interface MemberPageProps {
  visit: PageVisit;
  Stage: ComponentType<StageProps>;
}

export function MemberPage({ visit, Stage }: MemberPageProps) {
  const state = useStore(visit.state);
  const player = useStore(visit.player);
  const current = useStore(visit.playing);
  const entries = selectionOf(state)?.entries ?? [];
  return (
    <>
      <div class="theatre">
        {player !== null && <Stage player={player} entry={entries.find(({ video }) => video.id === current) ?? null} />}
      </div>
      <ol class="shelf">
        {entries.map((entry) => <Card key={entry.video.id} entry={entry} current={entry.video.id === current} onPick={() => visit.pick(entry)} />)}
      </ol>
    </>
  );
}
