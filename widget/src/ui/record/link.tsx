// Says when the connection is lost, what becomes of the recording then, and when it is back.
import type { Recording } from '../../core/recording/model';
import { useText } from '../text';

export function Link({ recording: { lost, busy, resumed } }: { recording: Recording }) {
  const t = useText();
  if (!lost && !resumed) return null;
  return <p class="record-link" data-testid="record-link" data-lost={lost}>{t(lost ? (busy ? 'widget-record-waits' : 'widget-record-lost') : 'widget-record-resumed')}</p>;
}
