// What becomes of the player when the viewer goes to another room of their client.
import { preference } from '../browser/preference';
import { Store } from '../core/store';

/** `stop`: the client takes the widget away; `muted`, `play`: it stays, as a small tile that most clients let nobody operate. */
export const ELSEWHERE = ['stop', 'muted', 'play'] as const;
export type Elsewhere = (typeof ELSEWHERE)[number];

export const elsewhere: Store<Elsewhere> = preference<Elsewhere>('roomreel.elsewhere', ELSEWHERE);

// Element's tile is 320×220. It keeps every press to itself, and passes nothing of it on to ordinary widgets: the size is all there is.
const tile = matchMedia('(max-width: 320px) and (max-height: 285px)');

/** The frame is as small as a client's floating tile. */
export const inTile = new Store(tile.matches);

/** Nothing on the page can be pressed, until a press or a key shows that it can: then nothing that looks like a control is there. */
function reach(reached: boolean): void {
  document.documentElement.toggleAttribute('data-tile', tile.matches && !reached);
}

/** Follows the frame's size from now on; to be called once. */
export function watchTile(): void {
  reach(false);
  tile.addEventListener('change', () => {
    inTile.set(tile.matches);
    reach(false);
  });
  for (const sign of ['pointermove', 'pointerdown', 'keydown']) window.addEventListener(sign, () => reach(true), { capture: true, passive: true });
  document.documentElement.addEventListener('pointerleave', ({ pointerType }) => pointerType === 'mouse' && reach(false));
}
