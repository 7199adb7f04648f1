// The picture with everything that lies on it.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Entry } from '../core/state';
import type { ReelPlayer } from '../player/reel-player';
import { Controls } from './controls';
import { MutedIcon, PlayIcon } from './icons';
import { shortcut } from './keys';
import { nameOf, titleFor } from './names';
import { Picture } from './picture';
import { useText } from './text';
import { useIdle } from './use-idle';
import { useStore } from './use-store';

interface StageProps {
  player: ReelPlayer;
  /** The showing video as the room knows it. */
  entry: Entry | null;
}

function useFullscreen(stage: { readonly current: HTMLElement | null }): { on: boolean; toggle: (() => void) | null } {
  const [on, setOn] = useState(false);
  useEffect(() => {
    const update = (): void => setOn(document.fullscreenElement !== null);
    document.addEventListener('fullscreenchange', update);
    return () => document.removeEventListener('fullscreenchange', update);
  }, []);
  const toggle = (): void => {
    // The client around us may refuse; then nothing changes, and that says it.
    const change = on ? document.exitFullscreen() : stage.current?.requestFullscreen();
    change?.catch(() => undefined);
  };
  return { on, toggle: document.fullscreenEnabled ? toggle : null };
}

function Trouble({ player }: { player: ReelPlayer }) {
  const t = useText();
  const { trouble, buffering } = useStore(player.playback);
  if (trouble === null) return buffering ? <span class="spinner" role="status" aria-label={t('widget-buffering')} /> : null;
  return (
    <div class="stage-trouble" role="alert">
      <p>{t(trouble === 'media' ? 'widget-broken' : 'widget-stalled')}</p>
      {trouble === 'media' && <button type="button" class="pill" onClick={() => player.next()}>{t('widget-skip')}</button>}
    </div>
  );
}

export function Stage({ player, entry }: StageProps) {
  const t = useText();
  const stage = useRef<HTMLElement>(null);
  const screen = useRef<HTMLDivElement>(null);
  const playing = useStore(player.playback, (playback) => playback.playing);
  const reel = useStore(player.playback, (playback) => playback.reel);
  const sound = useStore(player.sound);
  const { idle, touch, rest } = useIdle();
  const fullscreen = useFullscreen(stage);
  useEffect(() => {
    if (screen.current) player.mount(screen.current);
  }, [player]);

  const onKeyDown = (event: KeyboardEvent): void => {
    touch();
    const act = shortcut(event, player, fullscreen.toggle ?? (() => undefined));
    if (act === null) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  };
  // A finger that taps the picture looks for the controls; a mouse has them already.
  const onTap = (event: MouseEvent): void => {
    const finger = event instanceof PointerEvent && event.pointerType === 'touch';
    if (!finger) player.toggle();
    else if (idle) touch();
    else rest();
  };
  const title = entry === null ? '' : titleFor(entry.video, t);
  return (
    <section
      ref={stage}
      class="stage"
      data-testid="player"
      data-video-id={entry?.video.id ?? ''}
      data-reel={reel ?? ''}
      data-playing={playing}
      data-muted={sound.muted}
      data-idle={idle && playing}
      aria-label={t('widget-player')}
      aria-description={t('widget-shortcuts')}
      tabIndex={0}
      onKeyDown={onKeyDown}
      onPointerMove={touch}
      onPointerLeave={(event) => event.pointerType === 'mouse' && rest()}
      onFocusCapture={touch}
    >
      <Picture url={entry?.video.posterUrl ?? null} blurhash={entry?.video.blurhash ?? null} className="backdrop" />
      <div class="screen" ref={screen} onClick={onTap} />
      <div class="stage-title">
        <bdi class="stage-video">{title}</bdi>
        {entry !== null && <bdi class="stage-owner">{nameOf(entry.owner)}</bdi>}
      </div>
      {!playing && <button type="button" class="big-play" aria-label={t('widget-play')} data-testid="big-play" tabIndex={-1} onClick={() => player.play()}><PlayIcon /></button>}
      <Trouble player={player} />
      {sound.refused && (
        <button type="button" class="pill unmute" data-testid="unmute" onClick={() => player.setMuted(false)}>
          <MutedIcon />
          {t('widget-tap-to-unmute')}
        </button>
      )}
      <Controls player={player} fullscreen={fullscreen.on} onFullscreen={fullscreen.toggle} />
      <p class="unseen" role="status">{entry === null ? '' : t('widget-now-playing', { title, name: nameOf(entry.owner) })}</p>
    </section>
  );
}
