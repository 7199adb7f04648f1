// The keys that move the focus in a vertical menu (WAI-ARIA practices, "Menu and Menubar").

/** The item to focus for a key, from the one that has the focus now; undefined for any other key. */
export function itemFor(key: string, items: readonly HTMLElement[]): HTMLElement | undefined {
  const here = items.findIndex((item) => item === document.activeElement);
  switch (key) {
    case 'ArrowDown':
      return items[(here + 1) % items.length];
    case 'ArrowUp':
      return items.at(Math.max(-1, here - 1));
    case 'Home':
      return items[0];
    case 'End':
      return items.at(-1);
    default:
      return undefined;
  }
}
