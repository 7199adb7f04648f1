// A row of the list: what there is to see and say of a video, and where what can be done with it begins.
import { useMemo } from 'preact/hooks';
import { clock } from '../core/format';
import { hasMuchToSay, isPending, isPlayable, isToReview, type Video } from '../core/model';
import type { Entry } from '../core/state';
import { ClockIcon, FilmIcon, GripIcon, HiddenIcon, MicIcon, MoreIcon, PhotoIcon, WarningIcon } from './icons';
import { Blur } from './blur';
import { lazy } from './lazy';
import { menuOf, reviewing } from './manage/list-state';
import { shortDate } from './dates';
import { titleFor } from './names';
import { ServerImage } from './image';
import { ProgressBar, progressText } from './progress';
import { spoilerText } from './spoiler-text';
import { useLocales, useText, type Translate } from './text';
import { useStore } from './use-store';
import { useVisit } from './visit';
import { When } from './when';
import { withheldText } from './withheld-text';

/** Fetched when a title is first edited. */
const TitleField = lazy(() => import('./manage/title-field').then((module) => module.TitleField));

interface RowProps {
  entry: Entry;
  /** Whose it is, where they are not all of one member. */
  by: string | null;
  current: boolean;
  moving: boolean;
  renamed: boolean;
  /** Milliseconds since the epoch. */
  now: number;
  /** Pixels from the list's beginning. */
  place: number;
  index: number;
  count: number;
  /** The viewer may change its place. */
  movable: boolean;
  dragged: boolean;
  onPick: (entry: Entry) => void;
}

/** What there is to say about a video besides its title; null when it simply plays. */
function noteOf(video: Video, t: Translate): string | null {
  if (video.state === 'failed') return t(`failure-${video.failure ?? 'failed'}`, { kind: video.kind });
  if (video.state === 'queued') return t(video.awaitsUpload ? 'widget-state-awaited' : 'widget-state-queued');
  if (video.state === 'processing') return video.progress === null ? t('widget-state-processing') : progressText(video.progress, t);
  if (video.visibility !== 'shown') return withheldText(video, t);
  if (video.audioLeftOut !== null && video.progress === null) return t(`audio-${video.audioLeftOut}`);
  // It plays already: what is still being made are its other qualities.
  return video.progress === null ? null : t('widget-progress-qualities', { progress: progressText(video.progress, t) });
}

const KIND_ICONS = { video: FilmIcon, image: PhotoIcon, voice: MicIcon };

function Thumbnail({ video, current }: { video: Video; current: boolean }) {
  const KindIcon = KIND_ICONS[video.kind];
  return (
    <span class="thumb">
      {video.spoiler && video.blurhash !== null && <Blur hash={video.blurhash} className="thumb-image" />}
      <ServerImage url={video.spoiler ? null : video.posterUrl} blurhash={video.blurhash} className="thumb-image">
        {video.state === 'failed' ? <WarningIcon /> : isPending(video) ? <ClockIcon /> : video.spoiler ? <span class="thumb-hidden"><HiddenIcon /></span> : <KindIcon />}
      </ServerImage>
      {video.kind !== 'video' && video.posterUrl !== null && <span class="thumb-kind"><KindIcon /></span>}
      {current && <span class="bars" aria-hidden="true"><i /><i /><i /></span>}
      {video.duration !== null && <span class="thumb-time">{clock(video.duration)}</span>}
    </span>
  );
}

/** Small words on what only some may know of a video. */
function Marks({ video }: { video: Video }) {
  const t = useText();
  const marks = [
    video.isVideoAvatar && 'avatar',
    video.published && 'published',
  ].filter((mark) => mark !== false);
  return (
    <>
      {marks.map((mark) => <span key={mark} class="mark" data-mark={mark}>{t(`widget-mark-${mark}`)}</span>)}
      {video.reports !== null && video.reports > 0 && <span class="mark" data-mark="reported">{t('widget-mark-reported', { count: video.reports })}</span>}
    </>
  );
}

type BodyProps = Omit<RowProps, 'place' | 'index' | 'count' | 'movable' | 'dragged' | 'now'> & { readonly when: string | null };

function Body({ entry, by, current, moving, renamed, when, onPick }: BodyProps) {
  const t = useText();
  const { video } = entry;
  const title = titleFor(video, t);
  const note = noteOf(video, t);
  if (renamed) {
    return (
      <div class="row-body">
        <Thumbnail video={video} current={current} />
        <TitleField video={video} />
      </div>
    );
  }
  const body = (
    <>
      <Thumbnail video={video} current={current} />
      <span class="row-text">
        <bdi class="row-title">{title}</bdi>
        {video.kind !== 'video' && <span class="unseen">{t(`widget-kind-${video.kind}`)}</span>}
        <span class="row-notes">
          {by !== null && <bdi class="row-note">{by}</bdi>}
          {video.spoiler && <span class="mark row-spoiler" data-mark="spoiler"><bdi>{spoilerText(video.spoilerReason, t)}</bdi></span>}
          {note !== null && <span class="row-note row-state" data-kind={video.state} title={note}>{note}</span>}
          <Marks video={video} />
          {when !== null && <When at={video.createdAt} text={when} className="row-note row-date" />}
          {/* Last: nothing beside it moves when it begins or ends. */}
          {current && <span class="row-note row-now">{t(moving ? 'widget-playing' : 'widget-paused')}</span>}
        </span>
        {(video.state === 'processing' || video.progress !== null) && <ProgressBar video={video} mute={isPlayable(video)} />}
      </span>
    </>
  );
  if (video.visibility !== 'shown' && isToReview(video)) {
    return <button type="button" class="row-body" title={title} aria-haspopup="dialog" onClick={() => reviewing.set({ videoId: video.id, step: 'look' })}>{body}</button>;
  }
  if (!isPlayable(video) || video.visibility !== 'shown') return <div class="row-body" tabIndex={-1}>{body}</div>;
  return <button type="button" class="row-body" aria-current={current ? 'true' : undefined} title={video.title ?? title} onClick={() => onPick(entry)}>{body}</button>;
}

export function Row({ place, index, count, movable, dragged, now, ...about }: RowProps) {
  const t = useText();
  const locales = useLocales();
  const { entry, current, moving, by, renamed, onPick } = about;
  const { video } = entry;
  // The browser's first formatter of dates takes a tenth of the script time until the first frame, which comes before.
  const when = useStore(useVisit().settled) ? shortDate(video.createdAt, now, locales) : null;
  // Of a list that is scrolled only the places change.
  const body = useMemo(() => <Body {...about} when={when} />, [video, by, current, moving, when, renamed, onPick, t]);
  const label = t('widget-more', { title: titleFor(video, t) });
  return (
    <li
      class="row"
      data-testid="video"
      data-video-id={video.id}
      data-state={video.state}
      data-tall={hasMuchToSay(video)}
      data-visibility={video.visibility}
      data-current={current}
      data-moving={current && moving}
      data-dragged={dragged}
      data-renamed={renamed}
      aria-posinset={index + 1}
      aria-setsize={count}
      style={{ '--at': `${place}px` }}
    >
      {movable && <span class="row-grip" data-testid="grip" aria-hidden="true"><GripIcon /></span>}
      {body}
      <button type="button" class="row-more" aria-label={label} title={label} aria-haspopup="menu" data-testid="more" onClick={() => menuOf.set({ videoId: video.id, at: null })}>
        <MoreIcon />
      </button>
    </li>
  );
}
