// What is known of a room: its overview, pages of its lists, and the deltas since. Pure: every function returns what is known afterwards.
import type { Json } from '../decode';
import type { Progress } from '../model';
import { belongsTo, compare, EVERYBODY, holds, isBefore, isWhole, joined, keyIn, REVIEW, windowOf, type Window } from './windows';
import { changedBy, type Delta, type Head, type ListedVideo, type MembersPage, type Mine, type Overview, type Page } from './wire';

/** Deltas that are kept, to bring pages up to date that were on their way meanwhile; and ids of videos that went. */
const KEPT = 128;
const GONE = 1_000;

export interface Pages {
  /** Up to which deltas were merged. */
  readonly revision: number;
  readonly about: Json;
  /** In the order of the strip. */
  readonly heads: ReadonlyMap<string, Head>;
  /** The cursor of the members that are not known; null where all are. */
  readonly moreMembers: string | null;
  readonly videos: ReadonlyMap<string, ListedVideo>;
  readonly windows: ReadonlyMap<string, Window>;
  /** The cursor of what is to be reviewed and not known; undefined before its first page. */
  readonly review: string | null | undefined;
  readonly mine: Mine;
  /** Who the viewer is. */
  readonly viewer: string;
  readonly deltas: readonly Delta[];
  /** The revision from which on all deltas are kept: what was made before cannot be brought up to date. */
  readonly since: number;
  /** Lists of whose windows something may be missing: a video that is not known was moved. */
  readonly holes: ReadonlySet<string>;
  readonly gone: ReadonlySet<string>;
}

/** Begins with an overview. */
export function begun(overview: Overview, mine: Mine, viewer: string): Pages {
  const { revision, about, members, page } = overview;
  return {
    revision, about, mine, viewer,
    heads: new Map(members.members.map((head) => [head.userId, head])),
    moreMembers: members.next,
    videos: new Map(page.videos.map((video) => [video.id, video])),
    windows: new Map([[EVERYBODY, windowOf(page)]]),
    review: undefined,
    deltas: [],
    since: revision,
    holes: new Set(),
    gone: new Set(),
  };
}

/** Begun anew, with what deltas said meanwhile: they do not come twice. */
export function begunAgain(before: Pages | null, fresh: Pages): Pages {
  return (before?.deltas ?? []).filter(({ revision }) => revision > fresh.revision).reduce(withDelta, fresh);
}

/** True where all members and all videos are known. */
export function isComplete({ windows, moreMembers }: Pages): boolean {
  const everybody = windows.get(EVERYBODY);
  return everybody !== undefined && isWhole(everybody) && moreMembers === null;
}

/** A later overview: of a small room all there is, of a large one as any other page. */
export function withOverview(pages: Pages, overview: Overview): Pages {
  const fresh = begun(overview, pages.mine, pages.viewer);
  if (overview.revision < pages.since) return pages;
  if (isComplete(fresh)) return begunAgain(pages, { ...fresh, gone: pages.gone });
  const about = overview.revision < pages.revision ? pages.about : overview.about;
  const merged = withMembers({ ...pages, about }, { ...overview.members, next: pages.moreMembers });
  return withVideos(merged, overview.page);
}

export function withMine(pages: Pages, mine: Mine): Pages {
  return { ...pages, mine };
}

/** A page of members, who come behind the known ones; those of whom something newer is known stay as they are. */
export function withMembers(pages: Pages, { revision, members, next }: MembersPage): Pages {
  if (revision < pages.since) return pages;
  const heads = new Map(pages.heads);
  const later = pages.deltas.filter((delta) => delta.revision > revision);
  for (const head of members) {
    const { userId } = head;
    const newer = later.flatMap((delta) => delta.members).findLast((each) => each.userId === userId);
    const left = later.findLast((delta) => delta.left.includes(userId) || delta.members.some((each) => each.userId === userId))?.left.includes(userId);
    if (left !== true) heads.set(userId, newer ?? head);
  }
  return { ...pages, heads, moreMembers: next };
}

/** A page of a list: beside the window that is known, joined to it where they touch, or in its place. One that is too old changes nothing. */
export function withPage(pages: Pages, page: Page, where: 'before' | 'after' | 'joined' | 'instead' = 'joined'): Pages {
  if (page.revision < pages.since) return pages;
  const merged = withVideos(pages, page);
  if (page.of === REVIEW) return { ...merged, review: page.after };
  const window = pages.windows.get(page.of);
  const windows = new Map(pages.windows).set(page.of, window === undefined || where === 'instead' ? windowOf(page) : joined(window, page, where === 'joined' ? null : where));
  const holes = new Set(pages.holes);
  if (where === 'instead') holes.delete(page.of);
  if (pages.deltas.some((delta) => delta.revision > page.revision && movesUnknown(delta, merged.videos))) holes.add(page.of);
  return { ...merged, windows, holes };
}

/** Without the window of a list, which is loaded when it shows again. */
export function withoutWindow(pages: Pages, of: string): Pages {
  const windows = new Map(pages.windows);
  windows.delete(of);
  return { ...pages, windows, holes: new Set([...pages.holes].filter((each) => each !== of)) };
}

/** Videos of a page become known; no list's window changes. What deltas said since the page was made is newer. */
export function withVideos(pages: Pages, page: Page): Pages {
  if (page.revision < pages.since) return pages;
  const fresh = new Map(page.videos.map((video) => [video.id, video]));
  for (const delta of pages.deltas.filter(({ revision }) => revision > page.revision)) {
    for (const change of delta.videos) {
      const known = fresh.get(change.id as string);
      const changed = known && changedBy(known, change);
      if (changed) fresh.set(changed.id, changed);
    }
    for (const video of [...fresh.values()]) if (delta.gone.includes(video.id) || delta.left.includes(video.sender)) fresh.delete(video.id);
  }
  return { ...pages, videos: new Map([...pages.videos, ...fresh]) };
}

/** The next delta; one that was merged already changes nothing. */
export function withDelta(pages: Pages, delta: Delta): Pages {
  if (delta.revision <= pages.revision) return pages;
  const heads = headsAfter(pages, delta);
  const videos = videosAfter(pages.videos, delta);
  const mine = delta.schedule === undefined ? pages.mine : { ...pages.mine, json: { ...pages.mine.json, schedule: delta.schedule } };
  const dropped = pages.deltas.length < KEPT ? undefined : pages.deltas[0];
  const gone = new Set([...[...pages.gone].filter((id) => !videos.has(id)), ...[...pages.videos.keys()].filter((id) => !videos.has(id)), ...delta.gone].slice(-GONE));
  return {
    ...pages,
    revision: delta.revision,
    about: { ...pages.about, ...delta.about },
    heads, videos, mine, gone,
    windows: new Map([...pages.windows].map(([of, window]) => [of, moved(of, window, pages, { ...pages, heads, videos }, delta)])),
    deltas: [...pages.deltas, delta].slice(-KEPT),
    since: dropped?.revision ?? pages.since,
    holes: movesUnknown(delta, videos) ? new Set([...pages.holes, ...delta.members.map(({ userId }) => userId).filter((userId) => pages.windows.has(userId))]) : pages.holes,
  };
}

/** The server has come further with a video. */
export function withProgress(pages: Pages, videoId: string, { percent, remaining }: Progress): Pages {
  const known = pages.videos.get(videoId);
  if (known === undefined) return pages;
  const videos = new Map(pages.videos).set(videoId, { ...known, json: { ...known.json, progress: { percent, remaining } } });
  return { ...pages, videos };
}

/** Others watch the channel now. */
export function withWatching(pages: Pages, watching: readonly string[]): Pages {
  return { ...pages, mine: { ...pages.mine, json: { ...pages.mine.json, watching } } };
}

/** True where a delta takes videos of the viewer's away: what becomes of them is the viewer's alone. */
export function takesOwn({ videos, viewer }: Pages, { gone }: Delta): boolean {
  return gone.some((id) => videos.get(id)?.sender === viewer);
}

/** True where something was moved within its list of which nothing else is known: nobody knows whose list that is. */
function movesUnknown({ videos }: Delta, known: Pages['videos']): boolean {
  return videos.some(({ id, position, state }) => position !== undefined && state === undefined && !known.has(id as string));
}

/** Known members stay where they are, new ones come behind those who have videos. */
function headsAfter({ heads: known }: Pages, { members, left }: Delta): ReadonlyMap<string, Head> {
  if (members.length === 0 && left.length === 0) return known;
  const heads = [...known.values()].filter(({ userId }) => !left.includes(userId));
  const changed = new Map(members.map((head) => [head.userId, head]));
  const kept = heads.map((head) => changed.get(head.userId) ?? head);
  const fresh = members.filter(({ userId }) => !known.has(userId));
  const place = kept.findLastIndex(({ count }) => count > 0) + 1;
  const order = [...kept.slice(0, place), ...fresh, ...kept.slice(place)];
  return new Map(order.map((head) => [head.userId, head]));
}

function videosAfter(known: Pages['videos'], { videos: changes, gone, left }: Delta): Pages['videos'] {
  if (changes.length === 0 && gone.length === 0 && left.length === 0) return known;
  const videos = new Map(known);
  for (const change of changes) {
    const changed = changedBy(known.get(change.id as string), change);
    if (changed !== null) videos.set(changed.id, changed);
  }
  for (const id of gone) videos.delete(id);
  if (left.length > 0) for (const [id, { sender }] of videos) if (left.includes(sender)) videos.delete(id);
  return videos;
}

/** A window after a delta that it does not hold yet: what came or went before it moves it along. */
function moved(of: string, window: Window, before: Pages, after: Pages, { revision, videos, gone, left }: Delta): Window {
  if (window.from === null || revision <= window.revision) return window;
  const ahead = (video: ListedVideo | undefined): boolean => video !== undefined && belongsTo(of, video) && isBefore(window, keyIn(of, video));
  const ids = new Set([...videos.map(({ id }) => id as string), ...gone]);
  if (left.length > 0) for (const { id, sender } of before.videos.values()) if (left.includes(sender)) ids.add(id);
  let start = window.start;
  const fresh = newcomers(before, after);
  for (const id of ids) {
    const [was, is] = [before.videos.get(id), after.videos.get(id)];
    // One that was not known may have been in the list all the same.
    if (was === undefined && is !== undefined && !fresh.take(is.sender)) continue;
    start += Number(ahead(is)) - Number(ahead(was));
  }
  return { ...window, start: Math.max(0, start) };
}

/** Of the videos that became known with a delta, as many are new as their sender has more than before. */
function newcomers(before: Pages, after: Pages): { take: (sender: string) => boolean } {
  const left = new Map([...after.heads].map(([userId, { count }]) => [userId, count - (before.heads.get(userId)?.count ?? 0)]));
  return {
    take: (sender) => {
      const count = left.get(sender) ?? 0;
      left.set(sender, count - 1);
      return count > 0;
    },
  };
}

/** The known videos of a list's window, in its order; of the whole list where nothing says which part is known. */
export function listed(pages: Pages, of: string): readonly ListedVideo[] {
  const window = pages.windows.get(of);
  return [...pages.videos.values()]
    .filter((video) => belongsTo(of, video) && (window === undefined || holds(window, keyIn(of, video))))
    .sort((a, b) => compare(keyIn(of, a), keyIn(of, b)));
}
