// Keyboard shortcuts of the player; they work while the focus is inside it and nowhere else.
import type { ReelPlayer } from '../player/reel-player';
import { STEP } from './controls';

/** Seconds and share of the full volume of one press of an arrow key. */
const SEEK = 5;
const VOLUME = 0.05;

/** The action of a key; null when the key, or what has the focus, means something else. */
export function shortcut(event: KeyboardEvent, player: ReelPlayer, fullscreen: () => void): (() => void) | null {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  const target = event.target instanceof Element ? event.target : null;
  const onRange = target?.matches('input') ?? false;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  // A focused button is pressed by the space bar, a focused range is moved by the arrows.
  if (key === ' ' && target?.matches('button')) return null;
  if (key.startsWith('Arrow') && onRange) return null;
  const turn = (by: number) => () => player.setVolume(player.sound.get().volume + by);
  const actions: Record<string, () => void> = {
    ' ': () => player.toggle(),
    k: () => player.toggle(),
    j: () => player.step(-STEP),
    l: () => player.step(STEP),
    ArrowLeft: () => player.step(-SEEK),
    ArrowRight: () => player.step(SEEK),
    ArrowUp: turn(VOLUME),
    ArrowDown: turn(-VOLUME),
    m: () => player.setMuted(!player.sound.get().muted),
    n: () => player.next(),
    p: () => player.previous(),
    f: fullscreen,
  };
  return actions[key] ?? null;
}
