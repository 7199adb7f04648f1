// The selected list: what plays, what can be picked, and what is on its way.
import { useEffect, useRef } from 'preact/hooks';
import { clock } from '../core/format';
import { isPending, isPlayable, type Video } from '../core/model';
import { inOrder, type Entry, type Selection } from '../core/state';
import type { Playback } from '../player/state';
import { ClockIcon, FilmIcon, WarningIcon } from './icons';
import { nameOf, titleFor } from './names';
import { Picture } from './picture';
import { ProgressBar, progressText } from './progress';
import { useText, type Translate } from './text';

interface RowProps {
  entry: Entry;
  withOwner: boolean;
  current: boolean;
  moving: boolean;
  onPick: (entry: Entry) => void;
}

/** What there is to say about a video besides its title; null when it simply plays. */
function noteOf(video: Video, t: Translate): string | null {
  if (video.state === 'failed') return t(`failure-${video.failure ?? 'failed'}`);
  if (video.state === 'queued') return t('widget-state-queued');
  if (video.state === 'processing') return video.progress === null ? t('widget-state-processing') : progressText(video.progress, t);
  if (video.visibility === 'held' || video.visibility === 'hidden') return t(`widget-state-${video.visibility}`);
  // It plays already: what is still being made are its other qualities.
  return video.progress === null ? null : t('widget-progress-qualities', { progress: progressText(video.progress, t) });
}

function Thumbnail({ video, current }: { video: Video; current: boolean }) {
  return (
    <span class="thumb">
      <Picture url={video.posterUrl} blurhash={video.blurhash} className="thumb-image">
        {video.state === 'failed' ? <WarningIcon /> : isPending(video) ? <ClockIcon /> : <FilmIcon />}
      </Picture>
      {current && <span class="bars" aria-hidden="true"><i /><i /><i /></span>}
      {video.duration !== null && <span class="thumb-time">{clock(video.duration)}</span>}
    </span>
  );
}

function Row({ entry, withOwner, current, moving, onPick }: RowProps) {
  const t = useText();
  const { video, owner } = entry;
  const title = titleFor(video, t);
  const note = noteOf(video, t);
  const body = (
    <>
      <Thumbnail video={video} current={current} />
      <span class="row-text">
        <bdi class="row-title">{title}</bdi>
        {withOwner && <bdi class="row-note">{nameOf(owner)}</bdi>}
        {current && <span class="row-note row-now">{t(moving ? 'widget-playing' : 'widget-paused')}</span>}
        {note !== null && <span class="row-note" data-kind={video.state}>{note}</span>}
        {(video.state === 'processing' || video.progress !== null) && <ProgressBar video={video} mute={isPlayable(video)} />}
      </span>
    </>
  );
  return (
    <li class="row" data-testid="video" data-video-id={video.id} data-state={video.state} data-current={current} data-moving={current && moving}>
      {isPlayable(video) ? (
        <button type="button" class="row-body" aria-current={current ? 'true' : undefined} title={title} onClick={() => onPick(entry)}>{body}</button>
      ) : (
        <div class="row-body">{body}</div>
      )}
    </li>
  );
}

/** Brings the row into view by scrolling the list alone: `scrollIntoView` would move the page around the frame, too. */
function reveal(list: HTMLElement, row: HTMLElement): void {
  const above = row.offsetTop - list.scrollTop;
  const below = row.offsetTop + row.offsetHeight - (list.scrollTop + list.clientHeight);
  if (above < 0 || row.offsetHeight > list.clientHeight) list.scrollTop += above;
  else if (below > 0) list.scrollTop += below;
}

interface ListProps {
  selection: Selection;
  playback: Pick<Playback, 'videoId' | 'reel' | 'playing' | 'order'>;
  onPick: (entry: Entry) => void;
}

export function VideoList({ selection, playback, onPick }: ListProps) {
  const t = useText();
  const list = useRef<HTMLDivElement>(null);
  const shown = playback.reel === selection.key;
  const current = shown ? playback.videoId : null;
  useEffect(() => {
    const row = list.current?.querySelector<HTMLElement>('[data-current="true"]');
    if (list.current && row) reveal(list.current, row);
  }, [current]);
  const entries = shown ? inOrder(selection.entries, playback.order) : selection.entries;
  const label = selection.member === null ? t('widget-everyone') : nameOf(selection.member);
  return (
    <section class="videos" aria-label={t('widget-list-of', { name: label })}>
      <header class="videos-head">
        <h2><bdi>{label}</bdi></h2>
        <span>{t('widget-count', { count: entries.filter(({ video }) => video.state !== 'failed').length })}</span>
      </header>
      <div class="videos-scroll" ref={list}>
        <ul data-testid="videos">
          {entries.map((entry) => (
            <Row
              key={entry.video.id}
              entry={entry}
              withOwner={selection.member === null}
              current={entry.video.id === current}
              moving={playback.playing}
              onPick={onPick}
            />
          ))}
        </ul>
      </div>
    </section>
  );
}
