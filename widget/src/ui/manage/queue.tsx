// How much waits for the viewer's decision; a press leads to the first of it.
import { toReview, type Entry, type State } from '../../core/state';
import { useText } from '../text';
import { reviewing } from './list-state';

export function Queue({ state }: { state: State }) {
  const t = useText();
  const { waiting, reported } = toReview(state);
  const button = (id: 'waiting' | 'reported', [first, ...others]: readonly Entry[]) =>
    first !== undefined && (
      <button type="button" class="queue-button" aria-haspopup="dialog" data-testid={`queue-${id}`} onClick={() => reviewing.set({ videoId: first.video.id, step: 'look' })}>
        {t(`widget-queue-${id}`, { count: 1 + others.length })}
      </button>
    );
  if (waiting.length + reported.length === 0) return null;
  return (
    <div class="queue" role="group" aria-label={t('widget-queue')}>
      {button('waiting', waiting)}
      {button('reported', reported)}
    </div>
  );
}
