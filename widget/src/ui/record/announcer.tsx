// Announces to screen readers what happens, once each.
import type { Recording } from '../../core/recording/model';
import { percentOf } from '../../core/recording/status';
import { isTooLong } from '../../core/recording/trim';
import { clock, split } from '../../core/format';
import { useText, type Translate } from '../text';

/** Percent between two words about the progress. */
const STEP = 25;

function said(recording: Recording, t: Translate): string {
  const { phase, take, lost, busy, step, failure, limits } = recording;
  if (lost) return t(busy ? 'widget-record-waits' : 'widget-record-lost');
  switch (phase) {
    case 'choosing':
      return '';
    case 'opening':
      return t('widget-record-asking');
    case 'live':
      return t('widget-record-said-live');
    case 'counting':
      return String(recording.countdown);
    case 'recording':
      return recording.resumed ? t('widget-record-resumed') : t('widget-record-said-recording');
    case 'paused':
      return t('widget-record-said-paused');
    case 'review': {
      const { hours, minutes, rest } = split(take?.duration ?? 0);
      const said = t('widget-record-said-review', { length: t('widget-spoken-time', { hours, minutes, seconds: rest }) });
      return limits.duration !== null && isTooLong(recording) ? `${said} ${t('widget-record-longest', { length: clock(limits.duration) })}` : said;
    }
    case 'sending': {
      const percent = percentOf(recording);
      const rough = percent === null ? '' : ` ${t('widget-progress-percent', { percent: Math.floor(percent / STEP) * STEP })}`;
      // A failure is an alert of its own.
      return failure === null ? t(`widget-record-step-${step}`) + rough : '';
    }
    case 'sent':
      return t('widget-record-sent-title');
  }
}

export function Announcer({ recording }: { recording: Recording }) {
  const t = useText();
  return <p class="unseen" role="status" data-testid="record-status">{said(recording, t)}</p>;
}
