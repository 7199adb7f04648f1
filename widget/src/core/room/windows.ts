// Windows of long lists: ranges of sort keys within which every video is known.
import type { ListedVideo, Page } from './wire';

/** By which lists are sorted: a member's by position, everybody's by time. */
export type Key = readonly [number, number, string];

/** The list of everybody's videos, and that of what is to be reviewed; the others are user ids. */
export const EVERYBODY = '*';
export const REVIEW = 'review';

/** An end of a window within its list. */
export interface Edge {
  readonly key: Key;
  /** By which the server finds what lies beyond. */
  readonly cursor: string;
}

export interface Window {
  /** Null at the list's own begin and end. */
  readonly from: Edge | null;
  readonly to: Edge | null;
  /** How many videos are before it. */
  readonly start: number;
  /** The revision at which that was so. */
  readonly revision: number;
}

export function keyIn(of: string, { id, item, position, createdAt }: ListedVideo): Key {
  return of === EVERYBODY ? [createdAt, item, id] : [position, createdAt, id];
}

export function compare(one: Key, other: Key): number {
  return one[0] - other[0] || one[1] - other[1] || (one[2] === other[2] ? 0 : one[2] < other[2] ? -1 : 1);
}

export const belongsTo = (of: string, { sender }: ListedVideo): boolean => of === EVERYBODY || of === sender;

export const isBefore = ({ from }: Window, key: Key): boolean => from !== null && compare(key, from.key) < 0;

export function holds(window: Window, key: Key): boolean {
  return !isBefore(window, key) && (window.to === null || compare(key, window.to.key) <= 0);
}

export const isWhole = ({ from, to }: Window): boolean => from === null && to === null;

/** The window of a page alone. */
export function windowOf({ of, before, after, videos, start, revision }: Page): Window {
  const [first, last] = [videos[0], videos.at(-1)];
  return {
    from: before === null || first === undefined ? null : { key: keyIn(of, first), cursor: before },
    to: after === null || last === undefined ? null : { key: keyIn(of, last), cursor: after },
    start,
    revision,
  };
}

/** The window and a page that lies beside it (`beside`: requested by its cursor) or over it; the page's alone where there is a gap between them. */
export function joined(window: Window, page: Page, beside: 'before' | 'after' | null): Window {
  const other = windowOf(page);
  if (page.videos.length === 0) return beside === 'before' ? { ...window, from: null, start: 0 } : beside === 'after' ? { ...window, to: null } : other;
  const touches = beside !== null || (reaches(other.to, window.from) && reaches(window.to, other.from));
  if (!touches) return other;
  const from = earlier(window.from, other.from);
  const to = window.to === null || other.to === null ? null : compare(window.to.key, other.to.key) >= 0 ? window.to : other.to;
  return { from, to, start: from === other.from ? page.start : window.start, revision: from === other.from ? page.revision : window.revision };
}

const reaches = (end: Edge | null, begin: Edge | null): boolean => end === null || begin === null || compare(end.key, begin.key) >= 0;

function earlier(one: Edge | null, other: Edge | null): Edge | null {
  if (one === null || other === null) return null;
  return compare(other.key, one.key) <= 0 ? other : one;
}
