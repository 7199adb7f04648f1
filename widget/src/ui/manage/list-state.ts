// What the list of videos and the part that manages them share: the latter is loaded later.
import type { Entry } from '../../core/state';
import type { RowOffsets } from '../../core/rows';
import { Store } from '../../core/store';
import type { Point } from '../place-menu';

/** A row that is being dragged: where it is in the list, and where it would be dropped. */
export interface Drag {
  readonly videoId: string;
  readonly owner: string;
  readonly top: number;
  readonly to: number;
}

/** The list as a drag needs it. */
export interface DragArea {
  readonly scroller: HTMLElement;
  readonly list: HTMLElement;
  readonly offsets: RowOffsets;
  readonly index: number;
}

export interface RowHandler {
  /** Acts on a key of a row; false when it means nothing here. */
  handleKey(event: KeyboardEvent, entry: Entry): boolean;
  /** A row is pressed that may be dragged. */
  startDrag(event: PointerEvent, entry: Entry, area: DragArea): void;
}

/** The rows of the list that shows, by the ids of their videos. */
export interface Listed {
  has(videoId: string): boolean;
  /** The row behind one, or else before it; null when there is none. */
  beside(videoId: string): string | null;
}

/** Where the focus should go: to a part of a video's row. */
export interface Focus {
  readonly videoId: string;
  readonly part: 'body' | 'more';
}

/** Null until its code is there. */
export const rowHandler = new Store<RowHandler | null>(null);
/** Null while no list shows. */
export const listed = new Store<Listed | null>(null);
/** The menu that is open: of a video, at its button or at a point. */
export const menuOf = new Store<{ readonly videoId: string; readonly at: Point | null } | null>(null);
/** The video that is reviewed, and the step to begin with. */
export const reviewing = new Store<{ readonly videoId: string; readonly step: 'look' | 'block' } | null>(null);
/** The video whose title is being edited. */
export const renaming = new Store<string | null>(null);
export const drag = new Store<Drag | null>(null);
/** `queue`: to what waits for the viewer's decision. */
export const focusRequest = new Store<Focus | 'queue' | null>(null);
