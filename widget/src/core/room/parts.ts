// Parts of long lists, as they are requested.
import type { Pages } from './pages';
import { REVIEW } from './windows';

/** A part that is one page: the first one unless there is any, the next on either side, the list's begin or end, or what is around a video. */
export type OnePart = 'first' | 'before' | 'after' | 'begin' | 'end' | { readonly around: string };

export type ListPart = OnePart | 'whole';

/** Beyond the end of any list. */
const LAST = 999_999_999;

/** The query of a request for a part; null where there is nothing to fetch. */
export function queryOf(pages: Pages, of: string, part: OnePart): string | null {
  const position = positionOf(pages, of, part);
  return position === null ? null : `of=${encodeURIComponent(of)}${position}`;
}

function positionOf({ windows, review }: Pages, of: string, part: OnePart): string | null {
  if (typeof part === 'object') return `&around=${encodeURIComponent(part.around)}`;
  if (part === 'begin') return '&from=0';
  if (part === 'end') return `&from=${LAST}`;
  if (of === REVIEW) return review === undefined ? '' : review === null ? null : `&after=${encodeURIComponent(review)}`;
  const window = windows.get(of);
  if (part === 'first') return window === undefined ? '' : null;
  const edge = part === 'before' ? window?.from : window?.to;
  return edge ? `&${part}=${encodeURIComponent(edge.cursor)}` : null;
}

/** What is to be fetched next to know all of a list; null where all is known. */
export function missingPart({ windows, review }: Pages, of: string): OnePart | null {
  if (of === REVIEW) return review === null ? null : 'after';
  const window = windows.get(of);
  if (window === undefined) return 'first';
  return window.to !== null ? 'after' : window.from !== null ? 'before' : null;
}
