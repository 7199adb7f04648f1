// What the viewer changed and the server has not confirmed yet: laid over the room, retried after a conflict, or taken back.
import { sameMedia } from './grant';
import type { Member, Room, Video, Visibility } from './model';
import { mergedOrder, type Ids } from './order';

/** What a video gets. */
export interface Fields {
  readonly title?: string;
  readonly visibility?: Extract<Visibility, 'shown' | 'hidden'>;
  readonly published?: boolean;
  readonly isVideoAvatar?: boolean;
}

/** `seen` is the video as its editor saw it. */
export type Edit =
  | { readonly type: 'change'; readonly seen: Video; readonly fields: Fields }
  | { readonly type: 'delete'; readonly seen: Video }
  | { readonly type: 'restore'; readonly seen: Video; readonly owner: string; readonly index: number }
  | { readonly type: 'report'; readonly seen: Video; readonly reason: string }
  | { readonly type: 'dismiss'; readonly seen: Video }
  /** A moderator takes away what waits, or what is not to come again. */
  | { readonly type: 'reject' | 'block'; readonly seen: Video; readonly reason: string }
  | { readonly type: 'order'; readonly owner: string; readonly base: Ids; readonly wanted: Ids };

/** `done`: the server has it, and the room that shows it is on its way. */
export type EditPhase = 'waiting' | 'sending' | 'done';

export interface Pending {
  readonly id: number;
  readonly edit: Edit;
  readonly phase: EditPhase;
  /** It met a conflict already, and was retried. */
  readonly again: boolean;
}

export type Edits = readonly Pending[];

/** Whether the video is not there once it is done. */
export const takesAway = ({ type }: Edit): boolean => type === 'delete' || type === 'reject' || type === 'block';

/** The edits with a new one at their end. An order that was not sent yet becomes the newer one. */
export function withEdit(edits: Edits, id: number, edit: Edit): Edits {
  const last = edits.at(-1);
  if (edit.type === 'order' && last?.edit.type === 'order' && last.edit.owner === edit.owner && last.phase === 'waiting') {
    return [...edits.slice(0, -1), { ...last, edit: { ...last.edit, wanted: edit.wanted } }];
  }
  return [...edits, { id, edit, phase: 'waiting', again: false }];
}

export function inPhase(edits: Edits, id: number, phase: EditPhase): Edits {
  return edits.map((pending) => (pending.id === id ? { ...pending, phase } : pending));
}

/** The edits without one: it shows in the room, or was refused. */
export function without(edits: Edits, id: number): Edits {
  return edits.filter((pending) => pending.id !== id);
}

/** The server has done an edit, and this is the video since: what waits behind it was made on top of it. */
export function confirmed(edits: Edits, id: number, video: Video | null): Edits {
  return inPhase(edits, id, 'done').map((pending) => {
    const { edit } = pending;
    const follows = pending.phase === 'waiting' && edit.type === 'change' && edit.seen.id === video?.id && edit.seen.version < video.version;
    return follows ? { ...pending, edit: { ...edit, seen: video } } : pending;
  });
}

/** An edit that met a conflict, made anew on the room as it is now. */
export function replaced(edits: Edits, id: number, edit: Edit): Edits {
  return edits.map((pending) => (pending.id === id ? { ...pending, edit, phase: 'waiting', again: true } : pending));
}

/** The room as the viewer has changed it. */
export function withEdits(room: Room, edits: Edits): Room {
  return edits.reduce((now, { edit }) => withOne(now, edit), room);
}

function withOne(room: Room, edit: Edit): Room {
  switch (edit.type) {
    case 'change':
      return onMemberOf(room, edit.seen.id, (member) => changed(member, edit.seen.id, edit.fields));
    case 'delete':
    case 'reject':
    case 'block':
      return onMemberOf(room, edit.seen.id, (member) => ({ ...member, videos: member.videos.filter(({ id }) => id !== edit.seen.id) }));
    case 'restore':
      return onMember(room, ({ userId }) => userId === edit.owner, (member) => restored(member, edit.seen, edit.index));
    case 'dismiss':
      return onMemberOf(room, edit.seen.id, (member) => withVideo(member, edit.seen.id, (video) => ({ ...video, reports: video.reports && 0 })));
    case 'order':
      return onMember(room, ({ userId }) => userId === edit.owner, (member) => ordered(member, edit.base, edit.wanted));
    case 'report':
      return room;
  }
}

function onMember(room: Room, fits: (member: Member) => boolean, change: (member: Member) => Member): Room {
  return { ...room, members: room.members.map((member) => (fits(member) ? change(member) : member)) };
}

function onMemberOf(room: Room, videoId: string, change: (member: Member) => Member): Room {
  return onMember(room, ({ videos }) => videos.some(({ id }) => id === videoId), change);
}

function withVideo(member: Member, videoId: string, change: (video: Video) => Video): Member {
  return { ...member, videos: member.videos.map((video) => (video.id === videoId ? change(video) : video)) };
}

function changed(member: Member, videoId: string, fields: Fields): Member {
  const after = withVideo(member, videoId, (video) => ({ ...video, ...fields, ...withheldAfter(video, fields), can: allowedAfter(video, fields) }));
  if (fields.isVideoAvatar === undefined) return after;
  const worn = fields.isVideoAvatar ? after.videos.find(({ id }) => id === videoId) : undefined;
  const videos = after.videos.map((video) => ({ ...video, isVideoAvatar: video.id === worn?.id }));
  return { ...after, videos, videoAvatarUrl: worn?.spoiler === false ? worn.previewUrl : null };
}

/** Whoever hides a video may show it again; what else is allowed the server says. */
function allowedAfter({ can, visibility }: Video, fields: Fields): Video['can'] {
  if (fields.visibility === undefined || fields.visibility === visibility) return can;
  const [gone, come] = fields.visibility === 'hidden' ? (['hide', 'show'] as const) : (['show', 'hide'] as const);
  return new Set([...[...can].filter((action) => action !== gone && action !== 'reject'), come]);
}

/** Why it does not show, after the viewer hid or showed it. */
function withheldAfter({ heldFor, hiddenBy }: Video, { visibility }: Fields): Pick<Video, 'heldFor' | 'hiddenBy'> {
  if (visibility === undefined) return { heldFor, hiddenBy };
  return { heldFor: null, hiddenBy: visibility === 'hidden' ? 'viewer' : null };
}

function restored(member: Member, video: Video, index: number): Member {
  if (member.videos.some(({ id }) => id === video.id)) return member;
  return { ...member, videos: [...member.videos.slice(0, index), video, ...member.videos.slice(index)] };
}

function ordered(member: Member, base: Ids, wanted: Ids): Member {
  const videos = new Map(member.videos.map((video) => [video.id, video]));
  return { ...member, videos: mergedOrder(base, wanted, [...videos.keys()]).flatMap((id) => videos.get(id) ?? []) };
}

/** What becomes of an edit after a conflict, on the room as it is now: retried, needless, or refused. */
export type Rebased = { readonly outcome: 'retry'; readonly edit: Edit } | { readonly outcome: 'done' | 'conflict' | 'gone' };

export function rebase(edit: Edit, room: Room): Rebased {
  if (edit.type === 'order') {
    const now = room.members.find(({ userId }) => userId === edit.owner)?.videos.map(({ id }) => id);
    if (now === undefined) return { outcome: 'gone' };
    const wanted = mergedOrder(edit.base, edit.wanted, now);
    return wanted.join() === now.join() ? { outcome: 'done' } : { outcome: 'retry', edit: { ...edit, base: now, wanted } };
  }
  const now = room.members.flatMap(({ videos }) => videos).find(({ id }) => id === edit.seen.id);
  if (now === undefined) return { outcome: takesAway(edit) ? 'done' : 'gone' };
  if (edit.type !== 'change') return { outcome: 'retry', edit: { ...edit, seen: now } };
  const keys = (Object.keys(edit.fields) as (keyof Fields)[]).filter((key) => now[key] !== edit.fields[key]);
  if (keys.length === 0) return { outcome: 'done' };
  // Other media came meanwhile: who let the old ones be shown has not seen these.
  if (edit.fields.visibility === 'shown' && !sameMedia(now.playlistUrl ?? '', edit.seen.playlistUrl ?? '')) return { outcome: 'conflict' };
  // Somebody else changed the very same thing: theirs must not be lost without a word.
  if (keys.some((key) => now[key] !== edit.seen[key])) return { outcome: 'conflict' };
  return { outcome: 'retry', edit: { ...edit, seen: now } };
}
