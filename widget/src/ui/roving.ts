// One tab stop for a group of buttons: arrows, Home and End move the focus within it (WAI-ARIA practices, "Managing focus within components").
import { useEffect } from 'preact/hooks';

/** `home`: the button at which Tab arrives; else the one that had the focus last. */
export function useRoving(group: { readonly current: HTMLElement | null }, selector: string, home?: string): void {
  useEffect(() => (group.current === null ? undefined : rove(group.current, selector, home)), []);
}

function rove(group: HTMLElement, selector: string, home: string | undefined): () => void {
  let last: Element | null = null;
  const all = (): HTMLElement[] => [...group.querySelectorAll<HTMLElement>(selector)];
  // In a narrow window some are not there.
  const shown = (): HTMLElement[] => all().filter((item) => item.getClientRects().length > 0);
  const settle = (): void => {
    const items = shown();
    const focused = items.find((item) => item === document.activeElement);
    const stop = focused ?? (home === undefined ? undefined : items.find((item) => item.matches(home))) ?? items.find((item) => item === last) ?? items[0];
    for (const item of all()) item.tabIndex = item === stop ? 0 : -1;
  };
  const onFocusIn = ({ target }: FocusEvent): void => {
    last = target instanceof Element && target.matches(selector) ? target : last;
    settle();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const items = shown();
    const index = items.findIndex((item) => item === event.target);
    if (index === -1 || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const forward = getComputedStyle(group).direction === 'rtl' ? -1 : 1;
    const targets: Record<string, number> = { ArrowRight: index + forward, ArrowLeft: index - forward, Home: 0, End: items.length - 1 };
    const to = targets[event.key];
    if (to === undefined) return;
    // On the video the same keys seek.
    event.preventDefault();
    event.stopPropagation();
    items[to]?.focus();
  };
  const changes = new MutationObserver(settle);
  changes.observe(group, { childList: true, subtree: true, attributeFilter: ['aria-pressed', 'disabled'] });
  const sizes = new ResizeObserver(settle);
  sizes.observe(group);
  group.addEventListener('focusin', onFocusIn);
  group.addEventListener('focusout', settle);
  group.addEventListener('keydown', onKeyDown);
  settle();
  return () => {
    changes.disconnect();
    sizes.disconnect();
    group.removeEventListener('focusin', onFocusIn);
    group.removeEventListener('focusout', settle);
    group.removeEventListener('keydown', onKeyDown);
  };
}
