// Turns JSON from outside into the model. Anything malformed is refused with the place where it went wrong.
import type { Member, Progress, Room, Session, Video, VideoState, Visibility } from './model';

/** The server's answer does not have the agreed form. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';
}

type Json = Readonly<Record<string, unknown>>;

const STATES: readonly VideoState[] = ['queued', 'processing', 'playable', 'ready', 'failed'];
const VISIBILITIES: readonly Visibility[] = ['shown', 'hidden', 'held', 'removed'];
/** Root-relative and on this server: never a scheme, never a protocol-relative host. */
const LOCAL_PATH = /^\/(?![/\\])/;

/** Throws DecodeError unless `value` is a JSON object. */
export function asObject(value: unknown, where: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new DecodeError(`${where}: not an object`);
  return value as Json;
}

function text(of: Json, key: string, where: string): string {
  const value = of[key];
  if (typeof value !== 'string' || value === '') throw new DecodeError(`${where}.${key}: not a text`);
  return value;
}

function optionalText(of: Json, key: string, where: string): string | null {
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

function number(of: Json, key: string, where: string): number {
  const value = of[key];
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new DecodeError(`${where}.${key}: not a number`);
  return value;
}

function list(of: Json, key: string, where: string): readonly unknown[] {
  const value = of[key];
  if (!Array.isArray(value)) throw new DecodeError(`${where}.${key}: not a list`);
  return value;
}

function oneOf<T extends string>(of: Json, key: string, allowed: readonly T[], where: string): T {
  const found = allowed.find((candidate) => candidate === of[key]);
  if (found === undefined) throw new DecodeError(`${where}.${key}: not one of ${allowed.join(', ')}`);
  return found;
}

function progress(json: Json, where: string): Progress {
  return {
    percent: Math.min(100, Math.max(0, number(json, 'percent', where))),
    remaining: (json.remaining ?? null) === null ? null : Math.max(0, number(json, 'remaining', where)),
  };
}

function video(value: unknown, where: string): Video {
  const json = asObject(value, where);
  const failure = json.failure ?? null;
  return {
    id: text(json, 'id', where),
    title: optionalText(json, 'title', where),
    state: oneOf(json, 'state', STATES, where),
    visibility: oneOf(json, 'visibility', VISIBILITIES, where),
    duration: json.duration === null ? null : number(json, 'duration', where),
    posterUrl: localUrl(json, 'poster_url', where),
    blurhash: optionalText(json, 'blurhash', where),
    progress: (json.progress ?? null) === null ? null : progress(asObject(json.progress, `${where}.progress`), `${where}.progress`),
    createdAt: number(json, 'created_at', where),
    failure: failure === null ? null : text(asObject(failure, `${where}.failure`), 'code', `${where}.failure`),
  };
}

function member(value: unknown, where: string): Member {
  const json = asObject(value, where);
  return {
    userId: text(json, 'user_id', where),
    displayName: optionalText(json, 'display_name', where),
    avatarUrl: localUrl(json, 'avatar_url', where),
    reelUrl: localUrl(json, 'reel_url', where),
    videos: list(json, 'videos', where).map((each, index) => video(each, `${where}.videos[${index}]`)),
  };
}

/** The answer of `GET /api/v1/rooms/{room_id}`. Throws DecodeError. */
export function decodeRoom(value: unknown): Room {
  const json = asObject(value, 'room');
  return {
    roomId: text(json, 'room_id', 'room'),
    name: optionalText(json, 'name', 'room'),
    channelUrl: localUrl(json, 'channel', 'room'),
    grantExpiresAt: number(json, 'grant_expires_at', 'room'),
    members: list(json, 'members', 'room').map((each, index) => member(each, `room.members[${index}]`)),
  };
}

/** The data of an event `progress`: how far the work on one video is. Throws DecodeError. */
export function decodeProgress(value: unknown): { readonly videoId: string; readonly progress: Progress } {
  const json = asObject(value, 'progress');
  return { videoId: text(json, 'video_id', 'progress'), progress: progress(json, 'progress') };
}

/** The answer of `POST /api/v1/session`. Throws DecodeError. */
export function decodeSession(value: unknown): Session {
  const json = asObject(value, 'session');
  return {
    token: text(json, 'token', 'session'),
    userId: text(json, 'user_id', 'session'),
    roomId: text(json, 'room_id', 'session'),
  };
}
