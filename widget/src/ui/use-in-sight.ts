// Keeps what is selected in sight within a strip that scrolls, when the selection or the room for it changes.
import type { RefObject } from 'preact';
import { useEffect } from 'preact/hooks';

/** Pixels around it. */
const MARGIN = 8;

/** By how much to scroll so that what lies from `begin` to `end` is within `from` to `to`. */
function missing(begin: number, end: number, from: number, to: number): number {
  if (begin < from) return begin - from - MARGIN;
  return end > to ? end - to + MARGIN : 0;
}

/** Scrolls `strip` alone, not the page, to the first element that matches `selector`, each time that `key` or the strip's size changes; null for nothing to be seen to. */
export function useInSight(strip: RefObject<HTMLElement | null>, selector: string, key: string | null): void {
  useEffect(() => {
    const element = strip.current;
    if (element === null || key === null) return undefined;
    const show = (): void => {
      const chosen = element.querySelector(selector)?.getBoundingClientRect();
      if (chosen === undefined) return;
      const { left, right, top, bottom } = element.getBoundingClientRect();
      element.scrollLeft += missing(chosen.left, chosen.right, left, right);
      element.scrollTop += missing(chosen.top, chosen.bottom, top, bottom);
    };
    // It reports the first size, too.
    const sizes = new ResizeObserver(show);
    sizes.observe(element);
    return () => sizes.disconnect();
  }, [key]);
}
