// The room's parts as the server sends them: an overview, pages, deltas, and what is the viewer's alone.
import { asObject, DecodeError, list, number, optionalText, text, texts, type Json } from '../decode';

/** A video as it came, with what lists are sorted by. */
export interface ListedVideo {
  readonly id: string;
  readonly sender: string;
  readonly item: number;
  readonly position: number;
  readonly createdAt: number;
  readonly json: Json;
}

/** A member without videos: how many there are, and how many of them can be watched. */
export interface Head {
  readonly userId: string;
  readonly count: number;
  readonly playable: number;
  readonly json: Json;
}

/** A part of the list `of` a member, of everybody (`*`), or of what is to be reviewed; the cursors are null at the list's ends. */
export interface Page {
  readonly of: string;
  readonly revision: number;
  readonly total: number;
  readonly start: number;
  readonly before: string | null;
  readonly after: string | null;
  readonly videos: readonly ListedVideo[];
}

export interface MembersPage {
  readonly revision: number;
  readonly members: readonly Head[];
  /** The cursor of the next page; null on the last. */
  readonly next: string | null;
}

export interface Overview {
  readonly revision: number;
  /** What is said of the room itself. */
  readonly about: Json;
  readonly members: MembersPage;
  readonly page: Page;
}

/** What is the viewer's alone. */
export interface Mine {
  /** What media addresses without a slash at their beginning lie below. */
  readonly media: string;
  /** Milliseconds since the epoch by the server. */
  readonly grantExpiresAt: number;
  readonly json: Json;
  /** Videos of theirs that not everybody sees. */
  readonly own: readonly ListedVideo[];
  readonly hidden: ReadonlySet<string>;
}

/** What has changed up to a revision: all of it says how something is now, so that it does no harm twice. */
export interface Delta {
  readonly revision: number;
  readonly about: Json;
  /** Undefined where it is the same. */
  readonly schedule: unknown;
  readonly members: readonly Head[];
  readonly left: readonly string[];
  /** Whole videos, which have a `state`, or what of known ones is different. */
  readonly videos: readonly Json[];
  readonly gone: readonly string[];
}

export function listedVideo(value: unknown, where: string): ListedVideo {
  const json = asObject(value, where);
  return {
    id: text(json, 'id', where),
    sender: text(json, 'sender', where),
    item: number(json, 'item', where),
    position: number(json, 'position', where),
    createdAt: number(json, 'created_at', where),
    json,
  };
}

function head(value: unknown, where: string): Head {
  const json = asObject(value, where);
  return { userId: text(json, 'user_id', where), count: number(json, 'count', where), playable: number(json, 'playable', where), json };
}

const each = <T>(json: Json, key: string, where: string, read: (value: unknown, where: string) => T): readonly T[] =>
  (json[key] ?? null) === null ? [] : list(json, key, where).map((value, index) => read(value, `${where}.${key}[${index}]`));

function page(json: Json, revision: number, where: string): Page {
  return {
    of: text(json, 'of', where),
    revision,
    total: number(json, 'total', where),
    start: number(json, 'start', where),
    before: optionalText(json, 'before', where),
    after: optionalText(json, 'after', where),
    videos: each(json, 'videos', where, listedVideo),
  };
}

/** The response of `GET …/videos`. Throws DecodeError. */
export function decodePage(value: unknown): Page {
  const json = asObject(value, 'page');
  return page(json, number(json, 'revision', 'page'), 'page');
}

/** The response of `GET …/members`. Throws DecodeError. */
export function decodeMembers(value: unknown): MembersPage {
  const json = asObject(value, 'members');
  return { revision: number(json, 'revision', 'members'), members: each(json, 'members', 'members', head), next: optionalText(json, 'members_next', 'members') };
}

/** The response of `GET …/overview`. Throws DecodeError. */
export function decodeOverview(value: unknown): Overview {
  const json = asObject(value, 'overview');
  const members = decodeMembers(json);
  const about = Object.fromEntries(Object.entries(json).filter(([name]) => name !== 'members' && name !== 'page'));
  return { revision: members.revision, about, members, page: page(asObject(json.page, 'overview.page'), members.revision, 'overview.page') };
}

/** The response of `GET …/mine`. Throws DecodeError. */
export function decodeMine(value: unknown): Mine {
  const json = asObject(value, 'mine');
  const media = text(json, 'media', 'mine');
  if (!/^\/media\/.*\/$/.test(media)) throw new DecodeError('mine.media: not a path of media');
  return { media, grantExpiresAt: number(json, 'grant_expires_at', 'mine'), json, own: each(json, 'own', 'mine', listedVideo), hidden: new Set(texts(json, 'hidden_by_viewer', 'mine')) };
}

/** The data of an event `delta`. Throws DecodeError. */
export function decodeDelta(value: unknown): Delta {
  const json = asObject(value, 'delta');
  return {
    revision: number(json, 'revision', 'delta'),
    about: (json.room ?? null) === null ? {} : asObject(json.room, 'delta.room'),
    schedule: json.schedule,
    members: each(json, 'members', 'delta', head),
    left: texts(json, 'left', 'delta'),
    videos: each(json, 'videos', 'delta', (video, where) => {
      const found = asObject(video, where);
      text(found, 'id', where);
      return found;
    }),
    gone: texts(json, 'gone', 'delta'),
  };
}

/** What becomes of a known video by what is different; of an unknown one when it is whole. Null where nothing can be made of it. */
export function changedBy(known: ListedVideo | undefined, change: Json): ListedVideo | null {
  if (known === undefined) return change.state === undefined ? null : listedVideo(change, 'delta.video');
  return listedVideo({ ...known.json, ...change }, 'delta.video');
}
