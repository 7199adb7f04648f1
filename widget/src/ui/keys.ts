// Keyboard shortcuts of the player; they work while the focus is inside it and nowhere else.
import { speedBeside } from '../core/choices';
import type { ReelPlayer } from '../player/reel-player';
import { isSilent } from '../player/audio';
import { STEP } from './controls';

/** Seconds and share of the full volume of one press of an arrow key. */
const SEEK = 5;
const VOLUME = 0.05;

/** What the keys do that is not the player's alone. */
export interface Others {
  readonly fullscreen: () => void;
  readonly captions: () => void;
  readonly help: () => void;
}

export interface Shortcut {
  readonly act: () => void;
  /** Holding the key does it again and again. */
  readonly again: boolean;
}

/** The action of a key; null when the key, or what has the focus, means something else. */
export function shortcut(event: KeyboardEvent, player: ReelPlayer, others: Others): Shortcut | null {
  if (event.ctrlKey || event.metaKey || event.altKey) return null;
  const target = event.target instanceof Element ? event.target : null;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  // A focused range is moved by the arrows and their like.
  if (key.length > 1) return target?.matches('input') === true ? null : named(key, player);
  return player.choices.get().keys ? character(key, player, others) : null;
}

/** True for the key that plays, pauses and, held, hurries; a focused button is pressed by it. */
export function isSpace(event: KeyboardEvent): boolean {
  return event.key === ' ' && !event.ctrlKey && !event.metaKey && !event.altKey && !(event.target instanceof Element && event.target.matches('button'));
}

function named(key: string, player: ReelPlayer): Shortcut | null {
  const turn = (by: number) => () => player.setVolume(player.audio.get().volume + by);
  const actions: Record<string, () => void> = {
    ArrowLeft: () => player.step(-SEEK),
    ArrowRight: () => player.step(SEEK),
    ArrowUp: turn(VOLUME),
    ArrowDown: turn(-VOLUME),
    Home: () => player.seek(0),
    End: () => player.seek(Infinity),
  };
  const act = actions[key];
  return act === undefined ? null : { act, again: true };
}

/** Off when the viewer wants it so: speech input and unsteady hands press such keys by accident (WCAG 2.1.4). */
function character(key: string, player: ReelPlayer, others: Others): Shortcut | null {
  const speed = (by: 1 | -1) => () => {
    // Those who follow the channel see what everybody sees; the menu says so.
    if (!player.live.get()) player.choose({ speed: speedBeside(player.choices.get().speed, by) });
  };
  const repeated: Record<string, () => void> = {
    j: () => player.step(-STEP),
    l: () => player.step(STEP),
    '>': speed(1),
    '<': speed(-1),
  };
  const once: Record<string, () => void> = {
    k: () => player.toggle(),
    m: () => player.setMuted(!isSilent(player.audio.get())),
    n: () => player.next(),
    p: () => player.previous(),
    f: () => others.fullscreen(),
    c: () => others.captions(),
    '?': () => others.help(),
  };
  if (/^\d$/.test(key)) return { act: () => player.seek((Number(key) / 10) * player.playback.get().duration), again: false };
  const act = repeated[key] ?? once[key];
  return act === undefined ? null : { act, again: key in repeated };
}
