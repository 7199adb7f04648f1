// Where the list asks for what can be done with its videos. The part that does it is fetched apart, and answers from here.
import type { Entry } from '../../core/state';
import type { Places } from '../../core/rows';
import { Store } from '../../core/store';
import type { Point } from '../place-menu';

/** A row that is being dragged: at which place of the list, and where it would be dropped. */
export interface Drag {
  readonly videoId: string;
  readonly owner: string;
  readonly top: number;
  readonly to: number;
}

/** The list as a drag needs it. */
export interface Ground {
  readonly scroller: HTMLElement;
  readonly list: HTMLElement;
  readonly places: Places;
  readonly index: number;
}

export interface Desk {
  /** Acts on a key of a row; false when it means nothing here. */
  key(event: KeyboardEvent, entry: Entry): boolean;
  /** A row is pressed that may be dragged. */
  grab(event: PointerEvent, entry: Entry, ground: Ground): void;
}

/** A wish for the focus: a part of a video's row. */
export interface Focus {
  readonly videoId: string;
  readonly part: 'body' | 'more';
}

/** Null until its code is there. */
export const desk = new Store<Desk | null>(null);
/** The menu that is asked for: of a video, at its button or at a point. */
export const menuOf = new Store<{ readonly videoId: string; readonly at: Point | null } | null>(null);
/** The video that is looked at to decide on it, and what is asked first. */
export const reviewing = new Store<{ readonly videoId: string; readonly step: 'look' | 'block' } | null>(null);
/** The video whose title is being edited. */
export const renaming = new Store<string | null>(null);
export const drag = new Store<Drag | null>(null);
export const focusWish = new Store<Focus | null>(null);
