// What becomes of the picture and its sound while the viewer is in another room; remembered where the browser lets a frame remember.
import { Store } from '../core/store';

/** `stop`: the client takes the widget away; `muted`, `play`: it stays, as a small tile that most clients let nobody operate. */
export const ELSEWHERE = ['stop', 'muted', 'play'] as const;
export type Elsewhere = (typeof ELSEWHERE)[number];

const NAME = 'roomreel.elsewhere';
/** Clients float widgets as tiles of about 320×220 pixels; nothing else that shows one is as low. */
const TILE = '(max-width: 330px) and (max-height: 240px)';

function remembered(): Elsewhere {
  try {
    return ELSEWHERE.find((choice) => choice === localStorage.getItem(NAME)) ?? 'stop';
  } catch {
    return 'stop';
  }
}

export const elsewhere = new Store(remembered());

elsewhere.subscribe(() => {
  try {
    localStorage.setItem(NAME, elsewhere.get());
  } catch {
    // A third-party frame without storage: it holds for this visit.
  }
});

/** Mutes in the tile, if the viewer wants that, and sounds again afterwards; hands back the way to stop. */
export function muteElsewhere(player: { readonly sound: Store<{ readonly muted: boolean }>; setMuted(muted: boolean): void }): () => void {
  const tile = matchMedia(TILE);
  let muted = false;
  const update = (): void => {
    const wanted = tile.matches && elsewhere.get() === 'muted';
    if (wanted && !player.sound.get().muted) {
      muted = true;
      player.setMuted(true);
    } else if (!wanted && muted) {
      muted = false;
      player.setMuted(false);
    }
  };
  tile.addEventListener('change', update);
  const stop = elsewhere.subscribe(update);
  update();
  return () => {
    tile.removeEventListener('change', update);
    stop();
  };
}
