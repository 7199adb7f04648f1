// The video with everything that lies on it.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Video } from '../core/model';
import type { Entry } from '../core/state';
import { fullscreenWay, showInSystemPlayer } from '../player/fullscreen';
import type { ReelPlayer } from '../player/reel-player';
import { isSilent } from '../player/audio';
import { Blur } from './blur';
import { Controls, hurry, STEP } from './controls';
import { LiveBar } from './live';
import { MutedIcon, PlayIcon } from './icons';
import { isSpace, shortcut, type Others } from './keys';
import { lazy } from './lazy';
import { calledBy, titleFor } from './names';
import { useText } from './text';
import { useHold } from './use-hold';
import { useIdle } from './use-idle';
import { useStore } from './use-store';
import { useVisit } from './visit';

const TalkOverPicture = lazy(() => import('./talk').then((module) => module.TalkOverPicture));

const PlayerEffects = lazy(() => import('./player-effects').then((module) => module.PlayerEffects));
const Settings = lazy(() => import('./settings').then((module) => module.Settings));
const KeysHelp = lazy(() => import('./keys-help').then((module) => module.KeysHelp));

/** Milliseconds within which two taps, or two clicks, are one gesture, and the share of the video at each side on which it steps. */
const DOUBLE = 300;
const SIDE = 0.35;

export interface StageProps {
  player: ReelPlayer;
  /** The showing video as the room knows it. */
  entry: Entry | null;
}

function useFullscreen(stage: { readonly current: HTMLElement | null }, player: ReelPlayer): { on: boolean; toggle: (() => void) | null } {
  const [on, setOn] = useState(false);
  useEffect(() => {
    const update = (): void => setOn(document.fullscreenElement !== null);
    document.addEventListener('fullscreenchange', update);
    return () => document.removeEventListener('fullscreenchange', update);
  }, []);
  const way = fullscreenWay();
  const toggle = (): void => {
    if (way === 'video') return player.showing === null ? undefined : showInSystemPlayer(player.showing.video);
    // The client around us may refuse; then nothing changes, and that says it.
    const change = on ? document.exitFullscreen() : stage.current?.requestFullscreen();
    change?.catch(() => undefined);
  };
  return { on, toggle: way === null ? null : toggle };
}

/** Turns captions off, or the viewer's choice, else the first, on. */
async function toggleCaptions(player: ReelPlayer, video: Video | null): Promise<void> {
  const { captionsKey } = await import('../player/captions');
  const first = video?.captions[0];
  const on = video?.captions.some((each) => captionsKey(each) === player.choices.get().captions);
  if (on === true) player.choose({ captions: null });
  else if (first !== undefined) player.choose({ captions: captionsKey(first) });
}

/** A tap shows or hides the controls, two at a side step; returns what the first one did not know. */
function useTaps(player: ReelPlayer, onTap: () => void): (event: PointerEvent) => void {
  const last = useRef(0);
  return ({ timeStamp, clientX, currentTarget }) => {
    const { left, width } = (currentTarget as Element).getBoundingClientRect();
    const share = (clientX - left) / width;
    const twice = timeStamp - last.current < DOUBLE;
    last.current = timeStamp;
    if (twice && share < SIDE) player.step(-STEP);
    else if (twice && share > 1 - SIDE) player.step(STEP);
    else onTap();
  };
}

/** A click plays and pauses, two are full screen: the first waits for the second, so that nobody leaves the channel by it. */
function useClicks(onClick: () => void, onDouble: (() => void) | null): () => void {
  const waiting = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(waiting.current), []);
  return () => {
    if (onDouble === null) return onClick();
    const second = waiting.current !== undefined;
    clearTimeout(waiting.current);
    waiting.current = second ? undefined : setTimeout(() => {
      waiting.current = undefined;
      onClick();
    }, DOUBLE);
    if (second) onDouble();
  };
}

/** The space bar plays and pauses when it is let go; held, it hurries as long. */
function useSpace(player: ReelPlayer): { onKeyDown: (event: KeyboardEvent) => boolean; onKeyUp: (event: KeyboardEvent) => void; onBlur: () => void } {
  const pressed = useRef(false);
  const stop = useRef<(() => void) | null>(null);
  const release = (): void => {
    pressed.current = false;
    stop.current?.();
    stop.current = null;
  };
  return {
    onKeyDown: (event) => {
      if (!isSpace(event)) return false;
      pressed.current = true;
      if (event.repeat && player.playback.get().playing) stop.current ??= hurry(player);
      return true;
    },
    onKeyUp: (event) => {
      if (event.key !== ' ' || !pressed.current) return;
      event.preventDefault();
      if (stop.current === null) player.toggle();
      release();
    },
    onBlur: release,
  };
}

function PageError({ player }: { player: ReelPlayer }) {
  const t = useText();
  const { problem, buffering } = useStore(player.playback);
  if (problem === null) return buffering ? <span class="spinner" role="status" aria-label={t('widget-buffering')} /> : null;
  return (
    <div class="stage-trouble" role="alert">
      <p>{t(problem === 'media' ? 'widget-broken' : 'widget-stalled')}</p>
      {problem === 'media' && <button type="button" class="pill" onClick={() => player.next()}>{t('widget-skip')}</button>}
    </div>
  );
}

export function Stage({ player, entry }: StageProps) {
  const t = useText();
  const stage = useRef<HTMLElement>(null);
  const screen = useRef<HTMLDivElement>(null);
  const playing = useStore(player.playback, (playback) => playback.playing);
  const reel = useStore(player.playback, (playback) => playback.reel);
  const audio = useStore(player.audio);
  const visit = useVisit();
  const mayTalk = useStore(visit.settled) && visit.messenger !== null;
  const viewer = useStore(visit.state, (state) => state.viewer);
  const { idle, touch, rest } = useIdle();
  const [menu, setMenu] = useState(false);
  const [help, setHelp] = useState(false);
  const fullscreen = useFullscreen(stage, player);
  useEffect(() => {
    if (screen.current) player.mount(screen.current);
  }, [player]);

  const space = useSpace(player);
  const others: Others = {
    fullscreen: () => fullscreen.toggle?.(),
    captions: () => void toggleCaptions(player, entry?.video ?? null),
    help: () => setHelp(true),
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    touch();
    const found = shortcut(event, player, others);
    if (!space.onKeyDown(event) && found === null) return;
    event.preventDefault();
    event.stopPropagation();
    if (found !== null && (found.again || !event.repeat)) found.act();
  };
  const holding = useHold(() => hurry(player));
  const hidden = idle && playing && !menu;
  // As it was when the finger came down: the focus that comes with it shows the controls before the tap is one.
  const seen = useRef(false);
  const onFinger = useTaps(player, () => (seen.current ? rest() : touch()));
  const onClick = useClicks(() => player.toggle(), fullscreen.toggle);
  // A finger that taps the video looks for the controls; a mouse has them already.
  const onTap = (event: MouseEvent): void => {
    if (holding.wasHeld()) return;
    if (event instanceof PointerEvent && event.pointerType === 'touch') onFinger(event);
    else onClick();
  };
  const opener = stage.current?.querySelector<HTMLElement>('[data-testid=settings]') ?? null;
  const title = entry === null ? '' : titleFor(entry.video, t);
  return (
    <section
      ref={stage}
      class="stage"
      data-testid="player"
      data-video-id={entry?.video.id ?? ''}
      data-reel={reel ?? ''}
      data-playing={playing}
      data-muted={isSilent(audio)}
      data-idle={hidden}
      aria-label={t('widget-player')}
      aria-description={t('widget-shortcuts')}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onKeyUp={space.onKeyUp}
      onBlur={space.onBlur}
      onPointerDownCapture={() => { seen.current = !hidden; }}
      onPointerMove={touch}
      onPointerLeave={(event) => event.pointerType === 'mouse' && rest()}
      onFocusCapture={touch}
    >
      {entry?.video.blurhash != null && <Blur hash={entry.video.blurhash} className="backdrop" />}
      <div class="screen" ref={screen} onClick={onTap} {...holding.handlers} />
      <div class="stage-title">
        <bdi class="stage-video" title={entry?.video.title ?? title}>{title}</bdi>
        {entry !== null && <bdi class="stage-owner">{calledBy(viewer, entry.owner, t)}</bdi>}
      </div>
      {!playing && <button type="button" class="big-play" aria-label={t('widget-play')} data-testid="big-play" tabIndex={-1} onClick={() => player.play()}><PlayIcon /></button>}
      <LiveBar />
      {isSilent(audio) && <span class="tile-mark" aria-hidden="true"><MutedIcon /></span>}
      {mayTalk && <TalkOverPicture entry={entry} />}
      <PageError player={player} />
      {audio.refused && (
        <button type="button" class="pill unmute" data-testid="unmute" onClick={() => player.setMuted(false)}>
          <MutedIcon />
          {t('widget-tap-to-unmute')}
        </button>
      )}
      <Controls
        player={player}
        video={entry?.video ?? null}
        fullscreen={fullscreen.on}
        onFullscreen={fullscreen.toggle}
        onCaptions={others.captions}
        menuOpen={menu}
        onMenu={() => setMenu(!menu)}
      />
      {menu && <Settings player={player} video={entry?.video ?? null} opener={opener} onClose={() => setMenu(false)} onHelp={() => { setMenu(false); opener?.focus(); setHelp(true); }} />}
      {help && <KeysHelp onClose={() => setHelp(false)} />}
      {reel !== null && <PlayerEffects player={player} entry={entry} />}
    </section>
  );
}
