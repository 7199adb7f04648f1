// The focus in a list of which only some rows are built: it follows requests, and does not get lost with a row.
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { focusRequest, listed, type Focus } from './manage/list-state';
import type { Row, Rows } from './use-rows';
import { useStore } from './use-store';

/** Milliseconds within which a row that goes takes the focus with it. */
const GONE = 200;

export const rowOf = (target: EventTarget | null): HTMLElement | null => (target instanceof Element ? target.closest<HTMLElement>('.row') : null);
export const partOf = (target: EventTarget | null): Focus['part'] => (target instanceof Element && target.closest('.row-more') ? 'more' : 'body');

interface ListFocus {
  /** The id of the row that has it. */
  readonly focused: string | null;
  readonly focusOn: (index: number, part?: Focus['part']) => void;
  readonly onFocusIn: (event: FocusEvent) => void;
  readonly onFocusOut: (event: FocusEvent) => void;
}

/** `anew`: differs when a row may have been built since. */
export function useListFocus(list: { readonly current: HTMLElement | null }, rows: readonly Row[], indexes: ReadonlyMap<string, number>, reveal: Rows['reveal'], anew: unknown): ListFocus {
  const [focused, setFocused] = useState<string | null>(null);
  const lost = useRef<{ part: Focus['part']; at: number } | null>(null);
  /** Where the row that has it was, for when the row is gone. */
  const place = useRef(0);
  const request = useStore(focusRequest);

  const focusOn = (index: number, part: Focus['part'] = 'body'): void => {
    const row = rows[Math.min(rows.length - 1, Math.max(0, index))];
    if (row === undefined) return;
    reveal(indexes.get(row.id) ?? 0);
    setFocused(row.id);
    focusRequest.set({ videoId: row.id, part });
  };
  useLayoutEffect(() => {
    if (request === null || request === 'queue') return;
    const index = indexes.get(request.videoId);
    if (index === undefined) return;
    reveal(index);
    setFocused(request.videoId);
    const row = list.current?.querySelector(`[data-video-id="${CSS.escape(request.videoId)}"]`);
    const part = row?.querySelector<HTMLElement>(request.part === 'more' ? '.row-more' : '.row-body');
    if (!part) return; // it is built now, or its title is still edited; then it gets it
    part.focus({ preventScroll: true });
    focusRequest.set(null);
  }, [request, indexes, focused, anew]);
  useLayoutEffect(() => {
    // The row that had the focus was moved in the page, or went away.
    const was = lost.current;
    lost.current = null;
    if (was === null || document.activeElement !== document.body || performance.now() - was.at > GONE) return;
    focusOn((focused === null ? undefined : indexes.get(focused)) ?? place.current, was.part);
  }, [rows]);
  useLayoutEffect(() => {
    const index = focused === null ? undefined : indexes.get(focused);
    if (index !== undefined) place.current = index;
  }, [focused, indexes]);
  useLayoutEffect(() => {
    const beside = (videoId: string): string | null => {
      const index = indexes.get(videoId);
      return index === undefined ? null : (rows[index + 1] ?? rows[index - 1])?.id ?? null;
    };
    listed.set({ has: (videoId) => indexes.has(videoId), beside });
    return () => listed.set(null);
  }, [rows]);

  const onFocusIn = (event: FocusEvent): void => setFocused(rowOf(event.target)?.dataset.videoId ?? null);
  const onFocusOut = (event: FocusEvent): void => {
    if (event.relatedTarget === null) lost.current = { part: partOf(event.target), at: performance.now() };
    else if (!(event.relatedTarget instanceof Node && list.current?.contains(event.relatedTarget))) setFocused(null);
  };
  return { focused, focusOn, onFocusIn, onFocusOut };
}
