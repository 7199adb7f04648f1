// The room as the page shows it, of what is known: addresses are whole, own videos lie over it, and rights are the viewer's own.
import { decodeRoom, decodeVideo, type Json } from '../decode';
import { isPlayable, type Large, type ListWindow, type Member, type Room, type Video } from '../model';
import { isComplete, type Pages } from './pages';
import { belongsTo, compare, holds, isBefore, keyIn, type Window } from './windows';
import type { Head, ListedVideo } from './wire';

const ADDRESSES = ['poster_url', 'storyboard_url', 'preview_url', 'playlist_url', 'avatar_url', 'video_avatar', 'reel_url', 'channel', 'url'];

/** Composes rooms; a video that has not changed is the same object in each of them. */
export class Composer {
  #videos = new WeakMap<ListedVideo, Video>();
  #for = '';

  compose(pages: Pages): Room {
    const { mine, viewer } = pages;
    const known = `${mine.media} ${viewer} ${[...mine.hidden].join()}`;
    if (known !== this.#for) this.#videos = new WeakMap();
    this.#for = known;
    const all = new Map(pages.videos);
    for (const video of mine.own) all.set(video.id, video);
    const bySender = groupedBySender(all.values());
    const heads = [...pages.heads.values(), ...[...bySender.keys()].filter((userId) => !pages.heads.has(userId)).map(unknownHead)];
    const room = decodeRoom(roomJson(pages, heads));
    const complete = isComplete(pages);
    const members = room.members.map((member, index) => this.#withVideos(member, heads[index], bySender.get(member.userId) ?? [], pages, complete));
    return { ...room, members: complete ? inServersOrder(members) : members, large: complete ? null : largeOf(pages, all) };
  }

  #withVideos(member: Member, head: Head | undefined, sent: readonly ListedVideo[], pages: Pages, complete: boolean): Member {
    const videos = [...sent].sort((a, b) => compare(keyIn(member.userId, a), keyIn(member.userId, b))).map((video) => this.#video(video, pages));
    if (complete || head === undefined) return { ...member, videos };
    const shared = videos.filter(({ id }) => pages.videos.has(id));
    const missing = (count: number, there: number): number => Math.max(0, count - there);
    const more = missing(head.count, shared.length);
    return { ...member, videos, more, morePlayable: Math.min(more, missing(head.playable, shared.filter(isPlayable).length)) };
  }

  #video(listed: ListedVideo, { mine, viewer }: Pages): Video {
    const known = this.#videos.get(listed);
    if (known !== undefined) return known;
    const json = whole(personal(listed.json, listed.sender, viewer), mine.media);
    const video = decodeVideo(mine.hidden.has(listed.id) ? { ...json, hidden_by: 'viewer' } : json);
    this.#videos.set(listed, video);
    return video;
  }
}

function groupedBySender(videos: Iterable<ListedVideo>): ReadonlyMap<string, readonly ListedVideo[]> {
  const groups = new Map<string, ListedVideo[]>();
  for (const video of videos) {
    const group = groups.get(video.sender);
    if (group === undefined) groups.set(video.sender, [video]);
    else group.push(video);
  }
  return groups;
}

function roomJson({ about, mine: { media, json }, viewer }: Pages, heads: readonly Head[]): Json {
  const members = heads.map((head) => ({ ...whole(personal(head.json, head.userId, viewer), media), videos: [] }));
  return { ...whole(about, media), ...json, together: wholeOrNull(json.together, media), members };
}

const unknownHead = (userId: string): Head => ({ userId, count: 0, playable: 0, json: { user_id: userId, can: [], sender_can: [] } });

/** With what the viewer may do: with their own something else than with others'. */
function personal(json: Json, sender: string, viewer: string): Json {
  return sender === viewer ? { ...json, can: json.sender_can } : json;
}

/** With media addresses that begin at the server's root. */
function whole(json: Json, media: string): Json {
  const found = ADDRESSES.filter((name) => typeof json[name] === 'string' && json[name] !== '' && !json[name].startsWith('/'));
  const captions = Array.isArray(json.captions) ? { captions: json.captions.map((each: unknown) => wholeOrNull(each, media)) } : {};
  return { ...json, ...Object.fromEntries(found.map((name) => [name, `${media}${json[name] as string}`])), ...captions };
}

function wholeOrNull(value: unknown, media: string): unknown {
  return typeof value === 'object' && value !== null ? whole(value as Json, media) : value;
}

/** As the server sorts members: the latest sent first, then those without videos by name. */
function inServersOrder(members: readonly Member[]): readonly Member[] {
  const key = ({ userId, displayName, videos }: Member): readonly [number, string, string] => [-Math.max(-1, ...videos.map(({ createdAt }) => createdAt)), (displayName ?? userId.slice(1)).toLowerCase(), userId];
  return members.map((member) => ({ member, key: key(member) })).sort((a, b) => compareKeys(a.key, b.key)).map(({ member }) => member);
}

function compareKeys(one: readonly [number, string, string], other: readonly [number, string, string]): number {
  if (one[0] !== other[0]) return one[0] - other[0];
  if (one[1] !== other[1]) return one[1] < other[1] ? -1 : 1;
  return one[2] < other[2] ? -1 : Number(one[2] > other[2]);
}

function largeOf(pages: Pages, all: ReadonlyMap<string, ListedVideo>): Large {
  const count = (name: string): number => (typeof pages.about[name] === 'number' ? pages.about[name] : 0);
  const playable = [...pages.videos.values()].filter(({ json }) => json.state === 'playable' || json.state === 'ready').length;
  return {
    windows: new Map([...pages.windows].map(([of, window]) => [of, viewOf(of, window, pages, all)])),
    more: Math.max(0, count('count') - pages.videos.size),
    morePlayable: Math.max(0, count('playable') - playable),
    moreMembers: pages.moreMembers === null ? 0 : Math.max(1, count('members_total') - pages.heads.size),
    review: count('review'),
    gone: pages.gone,
  };
}

function viewOf(of: string, window: Window, { videos }: Pages, all: ReadonlyMap<string, ListedVideo>): ListWindow {
  const mine = [...all.values()].filter((video) => belongsTo(of, video));
  const outside = mine.filter((video) => !holds(window, keyIn(of, video)));
  // What is the viewer's alone was not counted.
  const alone = outside.filter((video) => !videos.has(video.id) && isBefore(window, keyIn(of, video))).length;
  return { loaded: true, start: window.start + alone, before: window.from !== null, after: window.to !== null, outside: new Set(outside.map(({ id }) => id)) };
}
