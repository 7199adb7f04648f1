// How much waits for the viewer's decision; a press leads to the first of it.
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { toReview, type Entry, type State } from '../../core/state';
import { useText } from '../text';
import { useStore } from '../use-store';
import { useVisit } from '../visit';
import { focusRequest, reviewing } from './list-state';

export function Queue({ state }: { state: State }) {
  const t = useText();
  const visit = useVisit();
  const { waiting, reported } = toReview(state);
  // Of a large room they are loaded apart, wherever in the lists they are.
  const unknown = (state.room?.large?.review ?? 0) - waiting.length - reported.length;
  useEffect(() => {
    if (unknown > 0) void visit.list('review', 'whole');
  }, [unknown > 0]);
  const group = useRef<HTMLDivElement>(null);
  const focus = useStore(focusRequest, (request) => request === 'queue');
  useLayoutEffect(() => {
    if (!focus) return;
    group.current?.querySelector('button')?.focus();
    focusRequest.set(null);
  }, [focus]);
  const button = (id: 'waiting' | 'reported', [first, ...others]: readonly Entry[]) =>
    first !== undefined && (
      <button type="button" class="queue-button" aria-haspopup="dialog" data-testid={`queue-${id}`} onClick={() => reviewing.set({ videoId: first.video.id, step: 'look' })}>
        {t(`widget-queue-${id}`, { count: 1 + others.length })}
      </button>
    );
  if (waiting.length + reported.length === 0) return null;
  return (
    <div ref={group} class="queue" role="group" aria-label={t('widget-queue')}>
      {button('waiting', waiting)}
      {button('reported', reported)}
    </div>
  );
}
