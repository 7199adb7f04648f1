// How a viewer wants to watch.

/** `one`: the same video again and again; `shuffle`: all in a random order. */
export type Loop = 'list' | 'one' | 'shuffle';
export const LOOPS: readonly Loop[] = ['list', 'one', 'shuffle'];

export const SPEEDS: readonly number[] = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];

export interface Choices {
  /** One of SPEEDS. */
  readonly speed: number;
  readonly loop: Loop;
  /** The language, or the label where there is none, of the captions to show; null for none. */
  readonly captions: string | null;
  /** Lines of the frame's shorter side; null lets the player choose. */
  readonly quality: number | null;
  /** Single keys are shortcuts (WCAG 2.1.4). */
  readonly keys: boolean;
  /** Screen readers announce which video starts. */
  readonly announce: boolean;
}

export const CHOICES: Choices = { speed: 1, loop: 'list', captions: null, quality: null, keys: true, announce: true };

/** The next speed up (1) or down (-1); the same at the ends. */
export function speedBeside(speed: number, by: 1 | -1): number {
  const beyond = by > 0 ? SPEEDS.find((each) => each > speed) : SPEEDS.findLast((each) => each < speed);
  return beyond ?? speed;
}

/** The quality to play out of `levels` for a wish: the best that is not above it, else the smallest; null when there are none. */
export function levelFor(levels: readonly number[], wish: number): number | null {
  const below = levels.filter((level) => level <= wish);
  if (levels.length === 0) return null;
  return below.length > 0 ? Math.max(...below) : Math.min(...levels);
}
