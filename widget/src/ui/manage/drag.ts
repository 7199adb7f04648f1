// Dragging a row to another place, by mouse or by finger; the list scrolls along at its edges.
import { rowAt } from '../../core/rows';
import type { Entry } from '../../core/state';
import { drag, type DragArea } from './list-state';

/** Pixels of movement from which on a press is a drag and not a click. */
const THRESHOLD = 6;
/** Pixels at the list's edges within which it scrolls, and by how many at most with a frame. */
const EDGE = 44;
const FASTEST = 14;

/** Follows the pointer from a press on; calls `onDrop` with the new index unless nothing moved or Escape was pressed. */
export function dragRow(press: PointerEvent, { video, owner }: Entry, { scroller, list, offsets, index }: DragArea, onDrop: (to: number) => void): void {
  const grip = press.target instanceof Element && press.target.closest('.row-grip') !== null;
  const [begin = 0, end = 0] = [offsets[index], offsets[index + 1]];
  const held = press.clientY - list.getBoundingClientRect().top - begin;
  const last = (offsets.at(-1) ?? 0) - (end - begin);
  const listening = new AbortController();
  const { signal } = listening;
  let y = press.clientY;
  let frame = 0;

  const place = (): void => {
    const top = Math.min(last, Math.max(0, y - list.getBoundingClientRect().top - held));
    drag.set({ videoId: video.id, owner: owner.userId, top, to: rowAt(offsets, top + (end - begin) / 2) });
  };
  const scroll = (): void => {
    const { top, bottom } = scroller.getBoundingClientRect();
    const over = Math.max(0, top + EDGE - y) - Math.max(0, y - bottom + EDGE);
    const by = -Math.sign(over) * Math.min(FASTEST, Math.ceil((Math.abs(over) / EDGE) * FASTEST));
    if (by !== 0) {
      scroller.scrollTop += by;
      place();
    }
    frame = requestAnimationFrame(scroll);
  };
  const start = (): void => {
    place();
    frame = requestAnimationFrame(scroll);
    // The click at the end of a drag is none.
    window.addEventListener('click', (event) => { event.preventDefault(); event.stopPropagation(); }, { capture: true, once: true });
  };
  const stop = (dropped: boolean): void => {
    const to = drag.get()?.to;
    listening.abort();
    cancelAnimationFrame(frame);
    drag.set(null);
    if (dropped && to !== undefined && to !== index) onDrop(to);
  };
  const moved = (event: PointerEvent): void => {
    if (event.pointerId !== press.pointerId) return;
    y = event.clientY;
    if (drag.get() !== null) return place();
    if (Math.abs(y - press.clientY) >= THRESHOLD) start();
  };
  const ended = (event: PointerEvent): void => {
    if (event.pointerId === press.pointerId) stop(event.type === 'pointerup');
  };
  window.addEventListener('pointermove', moved, { signal });
  window.addEventListener('pointerup', ended, { signal });
  window.addEventListener('pointercancel', ended, { signal });
  window.addEventListener('blur', () => stop(false), { signal });
  window.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || drag.get() === null) return;
    event.preventDefault();
    stop(false);
  }, { signal, capture: true });
  // A finger's press belongs to the handle, a mouse's may still become a click.
  if (grip) press.preventDefault();
}
