// Where a menu lies on the page: as its style sheet says, which leaves it to us only where there is room for a choice.

/** Pixels from the page's corner. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Pixels between a menu and the page's edges. */
const AIR = 6;

/** Sets for the style sheet where the menu should begin, so that it is whole within the page. */
export function placeMenu(menu: HTMLElement, { x, y }: Point): void {
  const within = (wish: number, size: number, all: number): string => `${Math.max(AIR, Math.min(wish, all - size - AIR))}px`;
  menu.style.setProperty('--x', within(x, menu.offsetWidth, innerWidth));
  menu.style.setProperty('--y', within(y, menu.offsetHeight, innerHeight));
}
