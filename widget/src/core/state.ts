// What the page shows, apart from the running player: which room, which reel, or which trouble.
import { isPending, isPlayable, type Member, type Progress, type Room, type Video } from './model';

/** Why there is nothing to see. Each has its own words and way out in the catalogue (`widget-error-…`). */
export type Trouble = 'outside' | 'no-answer' | 'declined' | 'identity' | 'not-member' | 'offline' | 'server' | 'no-room' | 'unsupported';

/** The room's channel, where everybody's videos play; the other selections are user ids, which start with `@`. */
export const EVERYONE = '*';

export interface State {
  readonly room: Room | null;
  /** The viewer's own user id, once the server confirmed it. */
  readonly viewer: string | null;
  /** EVERYONE or a user id; null while there is nobody. */
  readonly selected: string | null;
  /** The viewer picked the selection; otherwise it is a guess that may still change. */
  readonly chosen: boolean;
  readonly trouble: Trouble | null;
  /** The Matrix client is asking the viewer whether we may know who they are. */
  readonly asking: boolean;
  /** Changes do not arrive at the moment; what is there can still be watched. */
  readonly stale: boolean;
}

export type Action =
  | { readonly type: 'asking' }
  | { readonly type: 'retry' }
  | { readonly type: 'signed-in'; readonly viewer: string }
  | { readonly type: 'room'; readonly room: Room }
  | { readonly type: 'progress'; readonly videoId: string; readonly progress: Progress }
  | { readonly type: 'select'; readonly selected: string }
  | { readonly type: 'live'; readonly live: boolean }
  | { readonly type: 'trouble'; readonly trouble: Trouble };

export const INITIAL: State = { room: null, viewer: null, selected: null, chosen: false, trouble: null, asking: false, stale: false };

/** The next state; pure. */
export function reduce(state: State, action: Action): State {
  switch (action.type) {
    case 'asking':
      return { ...state, asking: true };
    case 'retry':
      return { ...state, trouble: null, asking: false };
    case 'signed-in':
      return { ...state, viewer: action.viewer, asking: false };
    case 'room':
      // A room does not help a browser that cannot play it.
      return { ...state, room: action.room, selected: keepOrChoose(action.room, state), trouble: state.trouble === 'unsupported' ? 'unsupported' : null };
    case 'progress':
      return { ...state, room: state.room && withProgress(state.room, action.videoId, action.progress) };
    case 'select':
      return { ...state, selected: action.selected, chosen: true };
    case 'live':
      return { ...state, stale: !action.live };
    case 'trouble':
      return withTrouble(state, action.trouble);
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
function withTrouble(state: State, trouble: Trouble): State {
  if (state.room !== null && (trouble === 'offline' || trouble === 'server')) return { ...state, stale: true };
  return { ...state, trouble, room: null, asking: false };
}

/** Keeps a selection that shows something or was picked, so that new videos elsewhere never take the viewer away. */
function keepOrChoose(room: Room, { selected, chosen, viewer }: State): string | null {
  const reels = reelsOf(room);
  const stillThere = selected !== null && reels.has(selected) ? selected : null;
  if (stillThere !== null && (chosen || reels.get(stillThere) !== null)) return stillThere;
  const playing = [...reels].find(([, url]) => url !== null)?.[0];
  const waiting = room.members.find((member) => member.videos.length > 0)?.userId;
  const self = viewer !== null && reels.has(viewer) ? viewer : undefined;
  return playing ?? waiting ?? stillThere ?? self ?? room.members[0]?.userId ?? null;
}

function reelsOf(room: Room): Map<string, string | null> {
  const reels = new Map<string, string | null>();
  if (room.channelUrl !== null) reels.set(EVERYONE, room.channelUrl);
  for (const member of room.members) reels.set(member.userId, member.reelUrl);
  return reels;
}

/** A video in a list, with whose it is. */
export interface Entry {
  readonly video: Video;
  readonly owner: Member;
}

export interface Selection {
  readonly key: string;
  /** Null for everyone. */
  readonly member: Member | null;
  readonly reelUrl: string | null;
  readonly entries: readonly Entry[];
}

/** What is selected, with its list; null while there is nothing to select. */
export function selectionOf({ room, selected }: State): Selection | null {
  if (room === null || selected === null) return null;
  if (selected === EVERYONE) return { key: EVERYONE, member: null, reelUrl: room.channelUrl, entries: everyones(room) };
  const member = room.members.find(({ userId }) => userId === selected);
  return member === undefined ? null : { key: selected, member, reelUrl: member.reelUrl, entries: entriesOf(member) };
}

/** Everybody's videos as the channel plays them: in the order they were sent. What failed concerns its sender alone. */
function everyones(room: Room): Entry[] {
  return room.members
    .flatMap(entriesOf)
    .filter(({ video }) => video.state !== 'failed')
    .sort((a, b) => a.video.createdAt - b.video.createdAt || (a.video.id < b.video.id ? -1 : 1));
}

function entriesOf(owner: Member): Entry[] {
  return owner.videos.map((video) => ({ video, owner }));
}

/** The list as it plays (`order` of video ids), then what does not play yet, newest first. */
export function inOrder(entries: readonly Entry[], order: readonly string[]): readonly Entry[] {
  const place = new Map(order.map((id, index) => [id, index]));
  const rank = ({ video }: Entry): number => place.get(video.id) ?? Infinity;
  // Infinity - Infinity is NaN, which `||` skips: entries that do not play keep their order among themselves.
  return [...entries].sort((a, b) => rank(a) - rank(b) || 0);
}

/** Why a selection shows no picture: nobody sent anything, this member did not, its turn has not come, it is still being made, or it cannot be. */
export type Emptiness = 'room' | 'member' | 'own' | 'waiting' | 'preparing' | 'failed';

/** The video on which the work is furthest; null when none is being worked on. */
export function furthest(entries: readonly Entry[]): Video | null {
  const working = entries.map(({ video }) => video).filter(({ state }) => state === 'processing');
  return working.reduce<Video | null>((best, video) => (best === null || percentOf(video) > percentOf(best) ? video : best), null);
}

const percentOf = (video: Video): number => video.progress?.percent ?? -1;

/** Null when there is something to play. */
export function emptinessOf(state: State): Emptiness | null {
  const selection = selectionOf(state);
  if (selection?.reelUrl) return null;
  const videos = selection?.entries.map(({ video }) => video) ?? [];
  if (videos.some((video) => video.state === 'processing' || isPlayable(video))) return 'preparing';
  if (videos.some(isPending)) return 'waiting';
  if (videos.length > 0) return 'failed';
  if (state.room?.members.every((member) => member.videos.length === 0) ?? true) return 'room';
  return selection?.member?.userId === state.viewer ? 'own' : 'member';
}
