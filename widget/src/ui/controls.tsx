// The player's buttons and ranges.
import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';
import type { Video } from '../core/model';
import { canFloat, toggleFloating } from '../player/picture-in-picture';
import type { ReelPlayer } from '../player/reel-player';
import { isSilent } from '../player/audio';
import { BackIcon, CaptionsIcon, FloatIcon, ForwardIcon, FullscreenIcon, GearIcon, LeaveFullscreenIcon, MutedIcon, NextIcon, PauseIcon, PlayIcon, PreviousIcon, SoundIcon } from './icons';
import { useRoving } from './roving';
import { SeekRow } from './seek-row';
import { Slider } from './slider';
import { useText } from './text';
import { useHold } from './use-hold';
import { useStore } from './use-store';

/** Seconds of one step back or forward. */
export const STEP = 10;
/** Seconds back, and milliseconds between two such steps, while the button is held: some eight times as fast as playing. */
const REWIND = 2;
const REWIND_EVERY = 250;

interface ButtonProps {
  label: string;
  testId: string;
  onPress: () => void;
  className?: string;
  pressed?: boolean;
  children: ComponentChildren;
}

export function IconButton({ label, testId, onPress, className = '', pressed, children }: ButtonProps) {
  return (
    <button type="button" class={`icon-button ${className}`} aria-label={label} title={label} aria-pressed={pressed} data-testid={testId} onClick={onPress}>
      {children}
    </button>
  );
}

/** A press steps; while it is held, `hold` runs until what it returns is called. */
function StepButton({ label, testId, onPress, hold, children }: ButtonProps & { hold: () => () => void }) {
  const { handlers, wasHeld } = useHold(hold);
  return (
    <button type="button" class="icon-button step-button" aria-label={label} title={label} data-testid={testId} onClick={() => wasHeld() || onPress()} {...handlers}>
      {children}
    </button>
  );
}

export function hurry(player: ReelPlayer): () => void {
  player.rushing.set(true);
  return () => player.rushing.set(false);
}

function rewind(player: ReelPlayer): () => void {
  const timer = setInterval(() => player.step(-REWIND), REWIND_EVERY);
  return () => clearInterval(timer);
}

function Volume({ player }: { player: ReelPlayer }) {
  const t = useText();
  const audio = useStore(player.audio);
  const muted = isSilent(audio);
  const heard = muted ? 0 : audio.volume;
  return (
    <div class="volume">
      <IconButton label={t(muted ? 'widget-unmute' : 'widget-mute')} testId="mute" onPress={() => player.setMuted(!muted)}>
        {muted ? <MutedIcon /> : <SoundIcon />}
      </IconButton>
      <div class="volume-range">
        <Slider
          className="volume-slider"
          label={t('widget-volume')}
          valueText={t('widget-volume-value', { percent: String(Math.round(heard * 100)) })}
          value={heard}
          max={1}
          step={0.05}
          onValue={(value) => player.setVolume(value)}
        />
      </div>
    </div>
  );
}

interface ControlsProps {
  player: ReelPlayer;
  /** The showing one. */
  video: Video | null;
  fullscreen: boolean;
  onFullscreen: (() => void) | null;
  onCaptions: () => void;
  menuOpen: boolean;
  onMenu: () => void;
}

export function Controls({ player, video, fullscreen, onFullscreen, onCaptions, menuOpen, onMenu }: ControlsProps) {
  const t = useText();
  const playing = useStore(player.playback, (playback) => playback.playing);
  const captions = useStore(player.choices, (choices) => choices.captions);
  const buttons = useRef<HTMLDivElement>(null);
  useRoving(buttons, 'button');
  const float = (): void => {
    const { showing } = player;
    if (showing !== null) void toggleFloating(showing.video);
  };
  return (
    <div class="controls" data-testid="controls">
      <SeekRow player={player} video={video} />
      <div class="buttons" role="toolbar" aria-label={t('widget-controls')} ref={buttons}>
        <IconButton label={t('widget-previous')} testId="previous" onPress={() => player.previous()}><PreviousIcon /></IconButton>
        <StepButton label={t('widget-back')} testId="back" onPress={() => player.step(-STEP)} hold={() => rewind(player)}><BackIcon /></StepButton>
        <IconButton label={t(playing ? 'widget-pause' : 'widget-play')} testId="play" className="main-button" onPress={() => player.toggle()}>
          {playing ? <PauseIcon /> : <PlayIcon />}
        </IconButton>
        <StepButton label={t('widget-forward')} testId="forward" onPress={() => player.step(STEP)} hold={() => hurry(player)}><ForwardIcon /></StepButton>
        <IconButton label={t('widget-next')} testId="next" onPress={() => player.next()}><NextIcon /></IconButton>
        <span class="spring" />
        <Volume player={player} />
        {video !== null && video.captions.length > 0 && (
          <IconButton label={t('widget-captions')} testId="captions" className="captions-button" pressed={captions !== null} onPress={onCaptions}><CaptionsIcon /></IconButton>
        )}
        <button type="button" class="icon-button" aria-label={t('widget-settings')} title={t('widget-settings')} aria-haspopup="menu" aria-expanded={menuOpen} data-testid="settings" onClick={onMenu}>
          <GearIcon />
        </button>
        {canFloat() && <IconButton label={t('widget-float')} testId="float" className="float-button" onPress={float}><FloatIcon /></IconButton>}
        {onFullscreen !== null && (
          <IconButton label={t(fullscreen ? 'widget-leave-fullscreen' : 'widget-fullscreen')} testId="fullscreen" onPress={onFullscreen}>
            {fullscreen ? <LeaveFullscreenIcon /> : <FullscreenIcon />}
          </IconButton>
        )}
      </div>
    </div>
  );
}
