// The position within the item, and what is to be seen elsewhere in it.
import { useState } from 'preact/hooks';
import { clock, split } from '../core/format';
import type { Video } from '../core/model';
import type { ReelPlayer } from '../player/reel-player';
import { lazy } from './lazy';
import { Slider } from './slider';
import { useText } from './text';
import { useStore } from './use-store';

const Preview = lazy(() => import('./preview').then((module) => module.Preview));

export function SeekRow({ player, video }: { player: ReelPlayer; video: Video | null }) {
  const t = useText();
  const { position, duration, available } = useStore(player.playback);
  const [at, setAt] = useState<number | null>(null);
  const spoken = (seconds: number): string => {
    const { hours, minutes, rest } = split(seconds);
    return t('widget-spoken-time', { hours, minutes, seconds: rest });
  };
  return (
    <div class="seek-row">
      <span class="time" data-testid="elapsed" aria-hidden="true">{clock(position)}</span>
      <span class="seek-bar">
        {at !== null && <Preview storyboardUrl={video?.storyboardUrl ?? null} at={Math.min(at, duration)} duration={duration} />}
        <Slider
          className="seek"
          label={t('widget-seek')}
          valueText={t('widget-seek-value', { position: spoken(position), duration: spoken(duration) })}
          value={position}
          max={duration}
          reach={available}
          step={0.1}
          onValue={(value) => player.seek(value)}
          onPoint={setAt}
        />
      </span>
      <span class="time" data-testid="duration" aria-hidden="true">{clock(duration)}</span>
    </div>
  );
}
