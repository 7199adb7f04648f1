// What the page shows, apart from the running player: which room, which reel, or which error.
import { turnsInWindow, windowOf } from './lists';
import { isPending, isPlayable, playsByItself, takesVideos, type ListWindow, type Member, type Progress, type Room, type Video } from './model';
import { IN_TURN, isSeveral, turnsOf } from './together';

/** Why there is nothing to see. Each has its own words and way out in the catalogue (`widget-error-…`), `sign-in` a page of its own. */
export type PageError = 'sign-in' | 'outside' | 'no-answer' | 'declined' | 'identity' | 'not-member' | 'offline' | 'server' | 'busy' | 'no-room' | 'unsupported';

/** The room's channel, where everybody's videos play; the others are user ids, which start with `@`, or keys of several (`together`). */
export const EVERYONE = '*';

/** What the viewer has changed, laid over the room that the server sent. */
export type Overlay = (room: Room) => Room;

export interface State {
  readonly room: Room | null;
  /** The room as the server sent it. */
  readonly served: Room | null;
  readonly overlay: Overlay;
  /** The viewer's own user id, once the server confirmed it. */
  readonly viewer: string | null;
  /** EVERYONE, a user id, or a key of several; null while there is nobody. */
  readonly selected: string | null;
  /** Several that the viewer chose: they are selected as soon as the server has put them together. */
  readonly wanted: string | null;
  /** The spoiler that the viewer picked; null while none, or once they went elsewhere. */
  readonly spoiler: { readonly videoId: string; readonly shown: boolean } | null;
  /** The viewer picked the selection; otherwise it is a guess that may still change. */
  readonly chosen: boolean;
  readonly error: PageError | null;
  /** The Matrix client prompts the viewer whether we may know who they are. */
  readonly asking: boolean;
  /** Changes do not arrive at present; what is there can still be watched. */
  readonly stale: boolean;
}

export type Action =
  | { readonly type: 'asking' }
  | { readonly type: 'retry' }
  | { readonly type: 'signed-in'; readonly viewer: string }
  | { readonly type: 'room'; readonly room: Room }
  | { readonly type: 'overlay'; readonly overlay: Overlay }
  | { readonly type: 'progress'; readonly videoId: string; readonly progress: Progress }
  | { readonly type: 'watching'; readonly watching: readonly string[] }
  | { readonly type: 'select'; readonly selected: string }
  | { readonly type: 'spoiler'; readonly videoId: string | null; readonly shown: boolean }
  | { readonly type: 'live'; readonly live: boolean }
  | { readonly type: 'error'; readonly error: PageError };

export const INITIAL: State = { room: null, served: null, overlay: (room) => room, viewer: null, selected: null, wanted: null, spoiler: null, chosen: false, error: null, asking: false, stale: false };

/** The next state; pure. Everything happens to the room that the server sent; what the viewer has changed lies over it. */
export function reduce(state: State, action: Action): State {
  if (action.type === 'overlay') return { ...state, overlay: action.overlay, room: state.served && action.overlay(state.served) };
  const next = step({ ...state, room: state.served }, action);
  if (next.room === state.served) return { ...next, room: state.room };
  return { ...next, served: next.room, room: next.room && next.overlay(next.room) };
}

function step(state: State, action: Exclude<Action, { type: 'overlay' }>): State {
  switch (action.type) {
    case 'asking':
      return { ...state, asking: true };
    case 'retry':
      return { ...state, error: null, asking: false };
    case 'signed-in':
      return { ...state, viewer: action.viewer, asking: false };
    case 'room':
      // A room does not help a browser that cannot play it.
      return { ...state, room: action.room, ...selectFor(action.room, state), error: state.error === 'unsupported' ? 'unsupported' : null };
    case 'progress':
      return { ...state, room: state.room && withProgress(state.room, action.videoId, action.progress) };
    case 'watching':
      return { ...state, room: state.room && { ...state.room, watching: action.watching } };
    case 'select':
      return { ...state, spoiler: null, ...choose(state.room, action.selected) };
    case 'spoiler':
      return { ...state, spoiler: action.videoId === null ? null : { videoId: action.videoId, shown: action.shown } };
    case 'live':
      return { ...state, stale: !action.live };
    case 'error':
      return withError(state, action.error);
  }
}

/** The same room, in which the server has come further with one video. */
function withProgress(room: Room, videoId: string, progress: Progress): Room {
  const members = room.members.map((member) => {
    if (!member.videos.some(({ id }) => id === videoId)) return member;
    return { ...member, videos: member.videos.map((video) => (video.id === videoId ? { ...video, progress } : video)) };
  });
  return { ...room, members };
}

/** A lost connection leaves what is on the screen; a lost right to see it does not. */
function withError(state: State, error: PageError): State {
  if (state.room !== null && (error === 'offline' || error === 'server' || error === 'busy')) return { ...state, stale: true };
  return { ...state, error, room: null, asking: false };
}

/** What was showing goes on until several are put together. */
function choose(room: Room | null, key: string): Partial<State> {
  if (isSeveral(key) && (room === null || turnsOf(room, key) === null)) return { wanted: key };
  return { selected: key, wanted: null, chosen: true };
}

/** At first where the viewer was the last time. */
function selectFor(room: Room, state: State): Pick<State, 'selected' | 'wanted' | 'chosen'> {
  const before = state.selected === null ? room.bookmark?.selection ?? null : null;
  const wanted = state.wanted ?? (before !== null && isSeveral(before) ? before : null);
  const key = wanted ?? before;
  if (key !== null && reelsOf(room, state.viewer, key).has(key)) return { selected: key, wanted: null, chosen: true };
  return { selected: keepOrChoose(room, state), wanted, chosen: state.chosen };
}

/** Keeps a selection that shows something or was picked, so that new videos elsewhere never take the viewer away. */
function keepOrChoose(room: Room, { selected, chosen, viewer }: State): string | null {
  const reels = reelsOf(room, viewer, selected);
  const stillThere = selected !== null && reels.has(selected) ? selected : null;
  if (stillThere !== null && (chosen || reels.get(stillThere) !== null)) return stillThere;
  const playing = [...reels].find(([, url]) => url !== null)?.[0];
  const waiting = inStrip(room, viewer).find((member) => member.videos.length + member.more > 0)?.userId;
  const self = viewer !== null && reels.has(viewer) ? viewer : undefined;
  return playing ?? waiting ?? stillThere ?? self ?? room.members[0]?.userId ?? null;
}

/** What can be selected, the first to greet the viewer ahead: in a chat of two the other one, elsewhere everybody. */
function reelsOf(room: Room, viewer: string | null, selected: string | null): Map<string, string | null> {
  const reels: [string, string | null][] = inStrip(room, viewer).map(({ userId, reelUrl }) => [userId, reelUrl]);
  const everyone: [string, string | null][] = room.channelUrl === null ? [] : [[EVERYONE, room.channelUrl]];
  if (room.direct) reels.push(...everyone);
  else reels.unshift(...everyone);
  if (selected !== null && isSeveral(selected) && turnsOf(room, selected) !== null) reels.push([selected, room.together?.reelUrl ?? null]);
  return new Map(reels);
}

/** The members as the strip shows them: in a chat of two one's own face stands beside the other's. */
export function inStrip(room: Room, viewer: string | null): readonly Member[] {
  if (!room.direct) return room.members;
  return [...room.members].sort((a, b) => Number(a.userId === viewer) - Number(b.userId === viewer));
}

/** A video in a list, with whose it is. */
export interface Entry {
  readonly video: Video;
  readonly owner: Member;
}

export interface Selection {
  readonly key: string;
  /** Null for everyone, and for several. */
  readonly member: Member | null;
  /** Those who take turns; empty but for several. */
  readonly turns: readonly Member[];
  readonly reelUrl: string | null;
  /** Of a large room those in the window. */
  readonly entries: readonly Entry[];
  /** Which part of the list the entries are; null where they are all. */
  readonly window: ListWindow | null;
  /** How many there are, without what failed. */
  readonly total: number;
}

/** What is selected, with its list; null while there is nothing to select. */
export function selectionOf({ room, selected }: State): Selection | null {
  if (room === null || selected === null) return null;
  if (selected === EVERYONE) {
    const window = windowOf(room, EVERYONE);
    const entries = everyones(room);
    return { key: EVERYONE, member: null, turns: [], reelUrl: room.channelUrl, entries: inWindow(entries, window), window, total: entries.length + (room.large?.more ?? 0) };
  }
  if (isSeveral(selected)) return severalOf(room, selected);
  const member = room.members.find(({ userId }) => userId === selected);
  if (member === undefined) return null;
  const window = windowOf(room, selected);
  return { key: selected, member, turns: [], reelUrl: member.reelUrl, entries: inWindow(entriesOf(member), window), window, total: countOf(member) };
}

/** What failed concerns its sender alone. */
function severalOf(room: Room, key: string): Selection | null {
  const turns = turnsOf(room, key);
  if (turns === null) return null;
  const reelUrl = room.together?.reelUrl ?? null;
  const total = turns.reduce((sum, member) => sum + countOf(member), 0);
  // Of all members' lists a large room's widget knows too little: it lists the videos as the channel does.
  if (key === IN_TURN && room.large !== null) {
    const window = windowOf(room, EVERYONE);
    return { key, member: null, turns, reelUrl, entries: inWindow(everyones(room), window), window, total };
  }
  const window = turnsInWindow(room, turns);
  const lists = turns.map((member) => inWindow(entriesOf(member), windowOf(room, member.userId)).filter(({ video }) => video.state !== 'failed'));
  const rounds = Math.min(Math.max(...lists.map((list) => list.length)), window?.rounds ?? Infinity);
  const entries = Array.from({ length: rounds }, (_, round) => lists.flatMap((list) => list[round] ?? [])).flat();
  return { key, member: null, turns, reelUrl, entries, window, total };
}

/** All known videos of a selection, also those that are not in its window. */
export function knownOf({ room }: State, { key, member, turns, window, entries }: Selection): readonly Entry[] {
  if (room === null || window === null) return entries;
  if (member !== null) return entriesOf(member);
  return key === EVERYONE ? everyones(room) : turns.flatMap(entriesOf);
}

/** How many videos of a member there are, without what failed. */
const countOf = ({ videos, more }: Member): number => videos.filter(({ state }) => state !== 'failed').length + more;

const inWindow = (entries: readonly Entry[], window: ListWindow | null): readonly Entry[] => (window === null ? entries : entries.filter(({ video }) => !window.outside.has(video.id) && window.loaded));

/** Everybody's videos as the channel plays them: in the order they were sent. What failed concerns its sender alone. */
function everyones(room: Room): Entry[] {
  return room.members
    .flatMap(entriesOf)
    .filter(({ video }) => video.state !== 'failed')
    .sort((a, b) => a.video.createdAt - b.video.createdAt || (a.video.id < b.video.id ? -1 : 1));
}

/** The first video of the room that `matches`, with whose it is; null when there is none. */
export function findEntry(room: Room | null, matches: (video: Video) => boolean): Entry | null {
  for (const owner of room?.members ?? []) {
    const video = owner.videos.find(matches);
    if (video !== undefined) return { video, owner };
  }
  return null;
}

function entriesOf(owner: Member): Entry[] {
  return owner.videos.map((video) => ({ video, owner }));
}

/** The key of a spoiler that plays alone; no user id, and no key of several, begins so. */
export const spoilerKey = (videoId: string): string => `!${videoId}`;

/** The picked spoiler, as long as it is one that can be played. */
export function spoilerOf({ room, spoiler }: State): (Entry & { readonly shown: boolean }) | null {
  if (spoiler === null) return null;
  const entry = findEntry(room, (video) => video.id === spoiler.videoId && video.spoiler && isPlayable(video) && video.visibility === 'shown' && video.playlistUrl !== null);
  return entry && { ...entry, shown: spoiler.shown };
}

/** What waits for the viewer's decision, the first to come first: held videos, and those that were reported and still show. */
export function toReview({ room }: State): { readonly waiting: readonly Entry[]; readonly reported: readonly Entry[] } {
  const entries = room === null ? [] : everyones(room);
  return {
    waiting: entries.filter(({ video }) => video.can.has('reject')),
    reported: entries.filter(({ video }) => video.visibility === 'shown' && (video.reports ?? 0) > 0),
  };
}

/** The list as it plays (`order` of video ids), then what does not play yet, newest first. */
export function inOrder(entries: readonly Entry[], order: readonly string[]): readonly Entry[] {
  const place = new Map(order.map((id, index) => [id, index]));
  const rank = ({ video }: Entry): number => place.get(video.id) ?? Infinity;
  // Infinity - Infinity is NaN, which `||` skips: entries that do not play keep their order among themselves.
  return [...entries].sort((a, b) => rank(a) - rank(b) || 0);
}

/** Why a selection shows no video: nobody agreed that an encrypted room's videos are stored, nobody sent anything, the room went elsewhere with its videos, this member did not, its turn has not come, it is in progress, it cannot be played, it is hidden or held, or it plays only on request. */
export type Emptiness = 'consent' | 'room' | 'moved' | 'member' | 'own' | 'waiting' | 'preparing' | 'failed' | 'withheld' | 'spoilers';

/** The video on which the work is furthest; null when none is being worked on. */
export function furthest(entries: readonly Entry[]): Video | null {
  const working = entries.map(({ video }) => video).filter(({ state }) => state === 'processing');
  return working.reduce<Video | null>((best, video) => (best === null || percentOf(video) > percentOf(best) ? video : best), null);
}

const percentOf = (video: Video): number => video.progress?.percent ?? -1;

/** True where nobody has sent anything. */
export function isBare(room: Room | null): boolean {
  return room === null || ((room.large?.more ?? 0) === 0 && room.members.every(({ videos, more }) => videos.length + more === 0));
}

/** Null when there is something to play. */
export function emptinessOf(state: State): Emptiness | null {
  const selection = selectionOf(state);
  if (selection?.reelUrl || spoilerOf(state) !== null) return null;
  const videos = selection?.entries.map(({ video }) => video) ?? [];
  const shown = videos.filter(({ visibility }) => visibility === 'shown');
  if (shown.some((video) => video.state === 'processing' || playsByItself(video))) return 'preparing';
  if (shown.some(isPending)) return 'waiting';
  if (shown.some(isPlayable)) return 'spoilers';
  if (shown.length < videos.length) return 'withheld';
  if (videos.length > 0) return 'failed';
  if (selection !== null && selection.total > 0) return 'waiting';
  const bare = isBare(state.room);
  if (bare && state.room?.replacedBy != null) return 'moved';
  if (state.room !== null && !takesVideos(state.room)) return 'consent';
  if (bare) return 'room';
  return selection?.member?.userId === state.viewer ? 'own' : 'member';
}
