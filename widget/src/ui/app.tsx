// The whole page: the stage, the members, the selected list, and what stands there when one of them is missing.
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { playsByItself, type Encryption } from '../core/model';
import { emptinessOf, findEntry, furthest, isBare, selectionOf, spoilerOf, type Emptiness, type Entry, type Selection, type PageError } from '../core/state';
import type { ReelPlayer } from '../player/reel-player';
import { IDLE, type Playback } from '../player/playback';
import { ClockIcon, CloudOffIcon, FilmIcon, HiddenIcon, PersonIcon, WarningIcon } from './icons';
import { lazy } from './lazy';
import { labelOf } from './names';
import { Notice } from './notice';
import { panelView } from '../visit/panel-view';
import { useOthers } from './panel-view';
import { ProgressBar, progressText } from './progress';
import { PanelBones, Skeleton } from './skeleton';
import { SkipLink } from './skip-link';
import { useText } from './text';
import { useAspect } from './use-aspect';
import { useRest } from './use-rest';
import { useStore } from './use-store';
import { useVisit } from './visit';

const Waiting = () => <section class="stage"><span class="spinner" /></section>;

// Fetched at once, beside the player's code and while the client shakes hands: needed for the first frame and not before it.
const Stage = lazy(() => import('./first').then((module) => module.Stage), Waiting, true);
const Panel = lazy(() => import('./first').then((module) => module.Panel), PanelBones, true);

const Veil = lazy(() => import('./spoiler').then((module) => module.Veil), Waiting);

const Consent = lazy(() => import('./encryption').then((module) => module.Consent), Waiting);

// Nothing at all as the first thing to be rendered would leave the server's skeleton where it is, for good.
const SignIn = lazy(() => import('./sign-in').then((module) => module.SignIn), () => <Skeleton hint={null} label={useText()('widget-loading')} />);

function ErrorPage({ error, onRetry }: { error: PageError; onRetry: () => void }) {
  const t = useText();
  const hopeless = error === 'outside' || error === 'no-room' || error === 'unsupported';
  const icon = error === 'offline' || error === 'server' || error === 'busy' || error === 'no-answer' ? <CloudOffIcon /> : hopeless ? <FilmIcon /> : <PersonIcon />;
  return (
    <main class="app" data-testid="app" data-state="error" data-trouble={error}>
      <Notice icon={icon} title={t(`widget-error-${error}`)} hint={t(`widget-error-${error}-hint`)}>
        {!hopeless && <button type="button" class="primary" data-testid="retry" onClick={onRetry}>{t('widget-retry')}</button>}
      </Notice>
    </main>
  );
}

/** How far the video is that will play first: the others wait behind it. */
function Progressing({ selection }: { selection: Selection | null }) {
  const t = useText();
  const video = furthest(selection?.entries ?? []);
  if (video === null) return null;
  return (
    <>
      <ProgressBar video={video} />
      {video.progress !== null && <p class="notice-progress" aria-hidden="true">{progressText(video.progress, t)}</p>}
    </>
  );
}

/** To the camera and the files: whoever finds nothing here can be the first. */
function SendFirst() {
  const t = useText();
  return useOthers().includes('record') && <button type="button" class="primary" data-testid="send-first" onClick={() => panelView.set('record')}>{t('widget-empty-send')}</button>;
}

interface EmptyProps {
  emptiness: Emptiness;
  selection: Selection | null;
  viewer: string | null;
  replacedBy: string | null;
  encryption: Encryption | null;
}

function EmptyStage({ emptiness, selection, viewer, replacedBy, encryption }: EmptyProps) {
  const t = useText();
  if (emptiness === 'consent' && encryption !== null) return <Consent encryption={encryption} />;
  const name = selection === null ? '' : labelOf(selection, viewer, t);
  const waits = emptiness === 'preparing' || emptiness === 'waiting';
  const icon = waits ? <ClockIcon /> : emptiness === 'failed' ? <WarningIcon /> : emptiness === 'spoilers' ? <HiddenIcon /> : <FilmIcon />;
  return (
    <section class="stage stage-empty" data-testid="empty" data-empty={emptiness}>
      <Notice icon={icon} title={t(`widget-empty-${emptiness}`, { name })} hint={t(`widget-empty-${emptiness}-hint`)} progress={emptiness === 'preparing' && <Progressing selection={selection} />}>
        {emptiness === 'moved' && replacedBy !== null && <a class="primary" href={replacedBy} target="_blank" rel="noopener noreferrer" data-testid="moved">{t('widget-empty-moved-link')}</a>}
        {(emptiness === 'room' || emptiness === 'own') && <SendFirst />}
      </Notice>
    </section>
  );
}

/** The player's state without its clock, so that the page is not rendered four times a second. */
function usePlayback(player: ReelPlayer | null): Playback {
  const [playback, setPlayback] = useState(IDLE);
  useEffect(() => {
    const read = (): void => {
      const now = player?.playback.get() ?? IDLE;
      setPlayback((before) => (sameButClock(before, now) ? before : now));
    };
    read();
    return player?.playback.subscribe(read);
  }, [player]);
  return playback;
}

function sameButClock(one: Playback, other: Playback): boolean {
  return one.videoId === other.videoId && one.reel === other.reel && one.playing === other.playing && one.order.join() === other.order.join();
}

interface LayoutProps {
  bare: boolean;
  entries: readonly Entry[];
  /** What plays. */
  entry: Entry | null;
  children: ComponentChildren;
}

/** Upright, the stage is as high as each video needs; beside it the list stays where it is, so the widest one counts. */
function Layout({ bare, entries, entry, children }: LayoutProps) {
  const playable = entries.filter(({ video }) => playsByItself(video));
  const aspect = useAspect((entry ?? playable[0])?.video.aspect ?? null);
  const widest = Math.max(...playable.map(({ video }) => video.aspect ?? 0));
  return <div class="layout" data-bare={bare} style={{ ...(aspect !== null && { '--aspect': aspect }), ...(widest > 0 && { '--widest': widest }) }}>{children}</div>;
}

export function App() {
  const t = useText();
  const visit = useVisit();
  const state = useStore(visit.state);
  const player = useStore(visit.player);
  const playback = usePlayback(player);
  const emptiness = state.room === null ? null : emptinessOf(state);
  const rest = useRest(state.room !== null, emptiness === null, playback.reel !== null);
  if (state.error === 'sign-in') return <SignIn />;
  if (state.error !== null) return <ErrorPage error={state.error} onRetry={() => visit.retry()} />;
  if (state.room === null) return <Skeleton hint={state.asking ? t('widget-asking') : null} label={t('widget-loading')} />;
  const selection = selectionOf(state);
  const spoiler = spoilerOf(state);
  const veiled = spoiler !== null && !spoiler.shown ? spoiler : null;
  // In a room without any video there is nothing to list; elsewhere the strip stays where it is.
  const bare = (emptiness === 'room' || emptiness === 'moved' || emptiness === 'consent') && isBare(state.room);
  // While another reel is being opened, still the one whose frame stands there.
  const entry = findEntry(state.room, ({ id }) => id === playback.videoId);
  return (
    <main class="app" data-testid="app" data-state={emptiness === null ? 'ready' : 'empty'} data-selected={state.selected ?? ''} data-stale={state.stale}>
      <h1 class="unseen">{t('widget-title')}</h1>
      {!bare && <SkipLink />}
      <Layout bare={bare} entries={selection?.entries ?? []} entry={entry}>
        {emptiness !== null && <EmptyStage emptiness={emptiness} selection={selection} viewer={state.viewer} replacedBy={state.room.replacedBy} encryption={state.room.encryption} />}
        {veiled !== null && <Veil entry={veiled} onShow={() => visit.showSpoiler()} onLeave={() => visit.leaveSpoiler()} />}
        {emptiness === null && veiled === null && (player === null ? <Waiting /> : <Stage player={player} entry={entry} />)}
        {rest ? <Panel state={state} selection={bare ? null : selection} encryption={emptiness === 'consent' ? null : state.room.encryption} playback={playback} entry={entry} /> : <PanelBones />}
      </Layout>
      {state.stale && <p class="stale" role="status">{t('widget-stale')}</p>}
    </main>
  );
}
