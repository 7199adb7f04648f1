// The player's buttons and ranges.
import type { ComponentChildren } from 'preact';
import { clock, split } from '../core/format';
import type { ReelPlayer } from '../player/reel-player';
import { BackIcon, ForwardIcon, FullscreenIcon, LeaveFullscreenIcon, MutedIcon, NextIcon, PauseIcon, PlayIcon, PreviousIcon, SoundIcon } from './icons';
import { Slider } from './slider';
import { useText } from './text';
import { useStore } from './use-store';

/** Seconds of one step back or forward. */
export const STEP = 10;

interface ButtonProps {
  label: string;
  testId: string;
  onPress: () => void;
  className?: string;
  children: ComponentChildren;
}

export function IconButton({ label, testId, onPress, className = '', children }: ButtonProps) {
  return (
    <button type="button" class={`icon-button ${className}`} aria-label={label} title={label} data-testid={testId} onClick={onPress}>
      {children}
    </button>
  );
}

function SeekRow({ player }: { player: ReelPlayer }) {
  const t = useText();
  const { position, duration, available } = useStore(player.playback);
  const spoken = (seconds: number): string => {
    const { hours, minutes, rest } = split(seconds);
    return t('widget-spoken-time', { hours, minutes, seconds: rest });
  };
  return (
    <div class="seek-row">
      <span class="time" data-testid="elapsed" aria-hidden="true">{clock(position)}</span>
      <Slider
        className="seek"
        label={t('widget-seek')}
        valueText={t('widget-seek-value', { position: spoken(position), duration: spoken(duration) })}
        value={position}
        max={duration}
        reach={available}
        step={0.1}
        onValue={(value) => player.seek(value)}
      />
      <span class="time" data-testid="duration" aria-hidden="true">{clock(duration)}</span>
    </div>
  );
}

function Volume({ player }: { player: ReelPlayer }) {
  const t = useText();
  const { volume, muted } = useStore(player.sound);
  const heard = muted ? 0 : volume;
  return (
    <div class="volume">
      <IconButton label={t(muted ? 'widget-unmute' : 'widget-mute')} testId="mute" onPress={() => player.setMuted(!muted)}>
        {muted ? <MutedIcon /> : <SoundIcon />}
      </IconButton>
      <div class="volume-range">
        <Slider
          className="volume-slider"
          label={t('widget-volume')}
          valueText={t('widget-volume-value', { percent: Math.round(heard * 100) })}
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
  fullscreen: boolean;
  onFullscreen: (() => void) | null;
}

export function Controls({ player, fullscreen, onFullscreen }: ControlsProps) {
  const t = useText();
  const playing = useStore(player.playback, (playback) => playback.playing);
  return (
    <div class="controls" data-testid="controls">
      <SeekRow player={player} />
      <div class="buttons">
        <IconButton label={t('widget-previous')} testId="previous" onPress={() => player.previous()}><PreviousIcon /></IconButton>
        <IconButton label={t('widget-back')} testId="back" onPress={() => player.step(-STEP)}><BackIcon /></IconButton>
        <IconButton label={t(playing ? 'widget-pause' : 'widget-play')} testId="play" className="main-button" onPress={() => player.toggle()}>
          {playing ? <PauseIcon /> : <PlayIcon />}
        </IconButton>
        <IconButton label={t('widget-forward')} testId="forward" onPress={() => player.step(STEP)}><ForwardIcon /></IconButton>
        <IconButton label={t('widget-next')} testId="next" onPress={() => player.next()}><NextIcon /></IconButton>
        <span class="spring" />
        <Volume player={player} />
        {onFullscreen !== null && (
          <IconButton label={t(fullscreen ? 'widget-leave-fullscreen' : 'widget-fullscreen')} testId="fullscreen" onPress={onFullscreen}>
            {fullscreen ? <LeaveFullscreenIcon /> : <FullscreenIcon />}
          </IconButton>
        )}
      </div>
    </div>
  );
}
