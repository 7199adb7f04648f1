// How far a video is, as a bar and in words. A screen reader reads it on request, not at every step.
import { roughly } from '../core/format';
import type { Progress, Video } from '../core/model';
import { titleFor } from './names';
import { useText, type Translate } from './text';

/** `42 %, about 20 s left`, as far as it is known. */
export function progressText({ percent, remaining }: Progress, t: Translate): string {
  const whole = Math.floor(percent);
  if (remaining === null) return t('widget-progress-percent', { percent: whole });
  const { unit, count } = roughly(remaining);
  return t(`widget-progress-${unit}`, { percent: whole, count });
}

/** Drifts while it is not known how far it is. `mute` where the words beside it are part of a button's name. */
export function ProgressBar({ video, mute = false }: { video: Video; mute?: boolean }) {
  const t = useText();
  const { progress } = video;
  const share = progress !== null && { style: { '--share': progress.percent / 100 } };
  const value = progress !== null && { 'aria-valuenow': Math.floor(progress.percent), 'aria-valuetext': progressText(progress, t) };
  const spoken = { role: 'progressbar', 'aria-label': t('widget-progress', { title: titleFor(video, t) }), 'aria-valuemin': 0, 'aria-valuemax': 100, ...value } as const;
  return <span class="progress" data-testid="progress" data-known={progress !== null} {...share} {...(mute ? { 'aria-hidden': true } : spoken)} />;
}
