// Turns JSON from outside into the model. Anything malformed is refused with the place where it went wrong.
import { LOOPS } from './choices';
import type { AudioLoss, Bookmark, Captions, Encryption, HeldFor, HiddenBy, Kind, Member, Progress, Room, RoomAction, Schedule, Session, Together, Turn, Video, VideoAction, VideoState, Visibility } from './model';

/** The server's response does not have the agreed form. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}

export type Json = Readonly<Record<string, unknown>>;

const STATES: readonly VideoState[] = ['queued', 'processing', 'playable', 'ready', 'failed'];
const KINDS: readonly Kind[] = ['video', 'image', 'voice'];
export const AUDIO_LOSSES: readonly AudioLoss[] = ['no-decoder', 'encrypted', 'damaged', 'too-many-channels', 'some-tracks', 'parts'];
const HELD_FOR: readonly HeldFor[] = ['approval', 'reports', 'verdict', 'policy', 'quarantine'];
const HIDDEN_BY: readonly HiddenBy[] = ['viewer', 'sender', 'moderator'];
const VISIBILITIES: readonly Visibility[] = ['shown', 'hidden', 'held', 'removed'];
const ACTIONS: readonly VideoAction[] = ['rename', 'hide', 'show', 'delete', 'avatar', 'publish', 'report', 'reject', 'block'];
const ROOM_ACTIONS: readonly RoomAction[] = ['comment', 'react', 'send'];
/** Root-relative and on this server: never a scheme, never a protocol-relative host. */
const LOCAL_PATH = /^\/(?![/\\])/;

/** Throws DecodeError unless `value` is a JSON object. */
export function asObject(value: unknown, where: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new DecodeError(`${where}: not an object`);
  return value as Json;
}

export function text(of: Json, key: string, where: string): string {
  const value = of[key];
  if (typeof value !== 'string' || value === '') throw new DecodeError(`${where}.${key}: not a text`);
  return value;
}

export function optionalText(of: Json, key: string, where: string): string | null {
  const value = of[key];
  if (value === null || value === undefined || value === '') return null;
  if (typeof value !== 'string') throw new DecodeError(`${where}.${key}: neither text nor null`);
  return value;
}

function localUrl(of: Json, key: string, where: string): string | null {
  const value = optionalText(of, key, where);
  if (value !== null && !LOCAL_PATH.test(value)) throw new DecodeError(`${where}.${key}: not a path of this server`);
  return value;
}

function roomLink(of: Json, key: string, where: string): string | null {
  const value = optionalText(of, key, where);
  if (value !== null && !value.startsWith('https://matrix.to/#/')) throw new DecodeError(`${where}.${key}: not a link to a room`);
  return value;
}

export function number(of: Json, key: string, where: string): number {
  const value = of[key];
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new DecodeError(`${where}.${key}: not a number`);
  return value;
}

function optionalNumber(of: Json, key: string, where: string): number | null {
  return (of[key] ?? null) === null ? null : number(of, key, where);
}

export function list(of: Json, key: string, where: string): readonly unknown[] {
  const value = of[key];
  if (!Array.isArray(value)) throw new DecodeError(`${where}.${key}: not a list`);
  return value;
}

function oneOf<T extends string>(of: Json, key: string, allowed: readonly T[], where: string): T {
  const found = allowed.find((candidate) => candidate === of[key]);
  if (found === undefined) throw new DecodeError(`${where}.${key}: not one of ${allowed.join(', ')}`);
  return found;
}

/** A list that a server of an earlier release does not know. */
function optionalList(of: Json, key: string, where: string): readonly unknown[] {
  return (of[key] ?? null) === null ? [] : list(of, key, where);
}

export function texts(of: Json, key: string, where: string): readonly string[] {
  return optionalList(of, key, where).map((each) => {
    if (typeof each !== 'string') throw new DecodeError(`${where}.${key}: not all of it is text`);
    return each;
  });
}

/** What `read` makes of an optional object; null when there is none. */
export function optional<T>(of: Json, key: string, where: string, read: (json: Json, where: string) => T): T | null {
  const value = of[key] ?? null;
  return value === null ? null : read(asObject(value, `${where}.${key}`), `${where}.${key}`);
}

function progress(json: Json, where: string): Progress {
  const remaining = optionalNumber(json, 'remaining', where);
  return {
    percent: Math.min(100, Math.max(0, number(json, 'percent', where))),
    remaining: remaining === null ? null : Math.max(0, remaining),
  };
}

/** Width over height; null unless both are known. */
function aspect(json: Json, where: string): number | null {
  const [width, height] = [optionalNumber(json, 'width', where), optionalNumber(json, 'height', where)];
  return width === null || height === null || width <= 0 || height <= 0 ? null : width / height;
}

function captions(value: unknown, where: string): Captions {
  const json = asObject(value, where);
  const url = localUrl(json, 'url', where);
  if (url === null) throw new DecodeError(`${where}.url: missing`);
  return { language: optionalText(json, 'language', where), label: text(json, 'label', where), url };
}

function video(value: unknown, where: string): Video {
  const json = asObject(value, where);
  const can = texts(json, 'can', where);
  return {
    id: text(json, 'id', where),
    eventId: text(json, 'event_id', where),
    // A server of an earlier release does not say.
    sentHere: json.sent_here !== false,
    title: optionalText(json, 'title', where),
    // Neither is known to a server of an earlier release, and a later one may know others.
    kind: KINDS.find((kind) => kind === json.kind) ?? 'video',
    state: oneOf(json, 'state', STATES, where),
    visibility: oneOf(json, 'visibility', VISIBILITIES, where),
    heldFor: HELD_FOR.find((reason) => reason === json.held_for) ?? null,
    hiddenBy: HIDDEN_BY.find((who) => who === json.hidden_by) ?? null,
    awaitsUpload: json.waits_for === 'upload',
    duration: optionalNumber(json, 'duration', where),
    aspect: aspect(json, where),
    posterUrl: localUrl(json, 'poster_url', where),
    blurhash: optionalText(json, 'blurhash', where),
    progress: optional(json, 'progress', where, progress),
    createdAt: number(json, 'created_at', where),
    failure: optional(json, 'failure', where, (failure, place) => text(failure, 'code', place)),
    // A server of an earlier release does not know it, and a later one may know others.
    audioLeftOut: AUDIO_LOSSES.find((loss) => loss === json.audio_left_out) ?? null,
    storyboardUrl: localUrl(json, 'storyboard_url', where),
    previewUrl: localUrl(json, 'preview_url', where),
    captions: optionalList(json, 'captions', where).map((each, index) => captions(each, `${where}.captions[${index}]`)),
    version: optionalNumber(json, 'version', where) ?? 0,
    can: new Set(ACTIONS.filter((action) => can.includes(action))),
    published: json.published === true,
    isVideoAvatar: json.is_video_avatar === true,
    reports: optionalNumber(json, 'reports', where),
    spoiler: json.spoiler === true,
    spoilerReason: optionalText(json, 'spoiler_reason', where),
    playlistUrl: localUrl(json, 'playlist_url', where),
  };
}

/** The response of `GET /api/v1/videos/{id}/reports`: what each report says, which may be nothing. Throws DecodeError. */
export function decodeReasons(value: unknown): readonly string[] {
  return texts(asObject(value, 'reports'), 'reasons', 'reports');
}

/** The response to a change of a video. Throws DecodeError. */
export function decodeVideo(value: unknown): Video {
  return video(value, 'video');
}

function member(value: unknown, where: string): Member {
  const json = asObject(value, where);
  return {
    userId: text(json, 'user_id', where),
    displayName: optionalText(json, 'display_name', where),
    avatarUrl: localUrl(json, 'avatar_url', where),
    videoAvatarUrl: localUrl(json, 'video_avatar', where),
    canOrder: texts(json, 'can', where).includes('order'),
    reelUrl: localUrl(json, 'reel_url', where),
    videos: list(json, 'videos', where).map((each, index) => video(each, `${where}.videos[${index}]`)),
    more: 0,
    morePlayable: 0,
  };
}

function turn(json: Json, where: string): Turn {
  return { id: text(json, 'id', where), duration: number(json, 'duration', where) };
}

function schedule(json: Json, where: string): Schedule {
  return {
    startsAt: number(json, 'starts_at', where),
    items: list(json, 'items', where).map((each, index) => turn(asObject(each, `${where}.items[${index}]`), `${where}.items[${index}]`)),
    before: optional(json, 'before', where, turn),
    until: optionalNumber(json, 'until', where),
  };
}

function together(json: Json, where: string): Together {
  return { members: texts(json, 'members', where), reelUrl: localUrl(json, 'reel_url', where) };
}

function bookmark(json: Json, where: string): Bookmark {
  return {
    selection: optionalText(json, 'selection', where),
    videoId: optionalText(json, 'video', where),
    position: Math.max(0, number(json, 'position', where)),
    volume: Math.min(1, Math.max(0, number(json, 'volume', where))),
    muted: json.muted === true,
    speed: Math.min(2, Math.max(0.5, number(json, 'speed', where))),
    loop: oneOf(json, 'loop', LOOPS, where),
    captions: optionalText(json, 'captions', where),
    keys: json.keys !== false,
    announce: json.announce !== false,
  };
}

function encryption(json: Json, where: string): Encryption {
  return {
    optedInBy: optionalText(json, 'opted_in_by', where),
    optedInByName: optionalText(json, 'opted_in_by_name', where),
    optedInAt: optionalNumber(json, 'opted_in_at', where),
    available: json.available === true,
    mayOptIn: json.may_opt_in === true,
  };
}

/** What `encodeBookmark` gave; null for anything else. */
export function decodeBookmark(value: unknown): Bookmark | null {
  try {
    return bookmark(asObject(value, 'bookmark'), 'bookmark');
  } catch {
    return null;
  }
}

/** The same as the server takes it. */
export function encodeBookmark({ videoId, ...rest }: Bookmark): object {
  return { ...rest, video: videoId };
}

/** The response of `GET /api/v1/rooms/{room_id}`. Throws DecodeError. */
export function decodeRoom(value: unknown): Room {
  const json = asObject(value, 'room');
  return {
    roomId: text(json, 'room_id', 'room'),
    name: optionalText(json, 'name', 'room'),
    bot: optionalText(json, 'bot', 'room'),
    channelUrl: localUrl(json, 'channel', 'room'),
    grantExpiresAt: number(json, 'grant_expires_at', 'room'),
    now: optionalNumber(json, 'now', 'room'),
    schedule: optional(json, 'schedule', 'room', schedule),
    watching: texts(json, 'watching', 'room'),
    direct: json.direct === true,
    replacedBy: roomLink(json, 'replaced_by', 'room'),
    together: optional(json, 'together', 'room', together),
    bookmark: optional(json, 'place', 'room', bookmark),
    can: (json.can ?? null) === null ? null : new Set(ROOM_ACTIONS.filter((action) => texts(json, 'can', 'room').includes(action))),
    encryption: optional(json, 'encryption', 'room', encryption),
    large: null,
    members: list(json, 'members', 'room').map((each, index) => member(each, `room.members[${index}]`)),
  };
}

/** The data of an event `progress`: how far the work on one video is. Throws DecodeError. */
export function decodeProgress(value: unknown): { readonly videoId: string; readonly progress: Progress } {
  const json = asObject(value, 'progress');
  return { videoId: text(json, 'video_id', 'progress'), progress: progress(json, 'progress') };
}

/** Who watches the channel: the data of an event `watching`, and the response to one's own. Throws DecodeError. */
export function decodeWatching(value: unknown): readonly string[] {
  const json = asObject(value, 'watching');
  list(json, 'watching', 'watching');
  return texts(json, 'watching', 'watching');
}

/** The response of `GET /api/v1/time`: milliseconds since the epoch. Throws DecodeError. */
export function decodeTime(value: unknown): number {
  return number(asObject(value, 'time'), 'now', 'time');
}

/** The response of `POST /api/v1/session`. Throws DecodeError. */
export function decodeSession(value: unknown): Session {
  const json = asObject(value, 'session');
  return {
    token: text(json, 'token', 'session'),
    userId: text(json, 'user_id', 'session'),
    roomId: text(json, 'room_id', 'session'),
    ends: number(json, 'expires_at', 'session'),
  };
}

/** The event of which something new was said; null when it may be any. Throws DecodeError. */
export function decodeTalk(value: unknown): string | null {
  return optionalText(asObject(value, 'talk'), 'event_id', 'talk');
}
