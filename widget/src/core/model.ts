// What the server sends the widget about a room, after validation.
import type { Loop } from './choices';

/** How far a video has come on the server. */
export type VideoState = 'queued' | 'processing' | 'playable' | 'ready' | 'failed';

/** What was sent: images and audio are shown as videos, too. */
export type Kind = 'video' | 'image' | 'voice';

/** Why a video is held: for approval or after reports by this room's moderators, by a detection service, a policy list or an admin. */
export type HeldFor = 'approval' | 'reports' | 'verdict' | 'policy' | 'quarantine';

/** Who hid a video; `viewer` also where they are its sender, or a moderator. */
export type HiddenBy = 'viewer' | 'sender' | 'moderator';

/** Who may see a video; `held` waits for somebody. */
export type Visibility = 'shown' | 'hidden' | 'held' | 'removed';

/** Why not all of a video's audio is heard, or none. */
export type AudioLoss = 'no-decoder' | 'encrypted' | 'damaged' | 'too-many-channels' | 'some-tracks' | 'parts';

/** How far the server's work on a video is. */
export interface Progress {
  /** 0 to 100. */
  readonly percent: number;
  /** Seconds; null while it is not known. */
  readonly remaining: number | null;
}

/** What the viewer may do with a video. */
export type VideoAction = 'rename' | 'hide' | 'show' | 'delete' | 'avatar' | 'publish' | 'report' | 'reject' | 'block';

/** What the bot does in the room for a viewer whose browser is signed in. */
export type RoomAction = 'comment' | 'react' | 'send';

/** Subtitles or captions of one language. */
export interface Captions {
  /** BCP 47; null where the file does not say. */
  readonly language: string | null;
  readonly label: string;
  /** A WebVTT file. */
  readonly url: string;
}

export interface Video {
  readonly id: string;
  /** The message in the room's timeline that brought it. */
  readonly eventId: string;
  /** False since an upgrade: its message is in the room that this one replaced, where nobody can react from here. */
  readonly sentHere: boolean;
  readonly title: string | null;
  readonly kind: Kind;
  readonly state: VideoState;
  readonly visibility: Visibility;
  /** Null unless it is held, and where its sender is not to know why. */
  readonly heldFor: HeldFor | null;
  /** Null unless it is hidden. */
  readonly hiddenBy: HiddenBy | null;
  /** Its message came before its file, which is still being uploaded. */
  readonly awaitsUpload: boolean;
  /** Seconds, of the whole video also while only its beginning can be watched; null until the file was examined. */
  readonly duration: number | null;
  /** Width over height of its frames; null until the file was examined. */
  readonly aspect: number | null;
  readonly posterUrl: string | null;
  /** The poster in some thirty characters. */
  readonly blurhash: string | null;
  /** Null while nobody works on it. */
  readonly progress: Progress | null;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Why it failed: a code of the catalogue's `failure-…` messages. */
  readonly failure: string | null;
  /** Why not all of its audio is heard, or none: a code of the catalogue's `audio-…` messages. */
  readonly audioLeftOut: AudioLoss | null;
  /** A WebVTT file that names parts of a sprite sheet, for a preview of any time. */
  readonly storyboardUrl: string | null;
  /** A short silent clip. */
  readonly previewUrl: string | null;
  readonly captions: readonly Captions[];
  /** Counts its managed changes: a change of an older version is refused. */
  readonly version: number;
  readonly can: ReadonlySet<VideoAction>;
  /** On its sender's public page. */
  readonly published: boolean;
  readonly isVideoAvatar: boolean;
  /** How many members reported it; null for those who are no moderators. */
  readonly reports: number | null;
  /** Nothing of it is shown before the viewer requests it, and it is in no reel. */
  readonly spoiler: boolean;
  /** What its sender says of it; null where they say nothing. */
  readonly spoilerReason: string | null;
  /** It alone as an HLS playlist; null while it cannot be played. Of what is not shown only whoever decides on it has one. */
  readonly playlistUrl: string | null;
}

export interface Member {
  readonly userId: string;
  readonly displayName: string | null;
  readonly avatarUrl: string | null;
  /** A short silent clip that stands for the member. */
  readonly videoAvatarUrl: string | null;
  /** The member's playable videos as one HLS playlist. */
  readonly reelUrl: string | null;
  /** The viewer may change the order of the member's videos. */
  readonly canOrder: boolean;
  /** In the order of the reel; of a large room those that are known. */
  readonly videos: readonly Video[];
  /** How many further ones there are, and how many of these can be watched. */
  readonly more: number;
  readonly morePlayable: number;
}

/** One turn of the channel: seconds. */
export interface Turn {
  readonly id: string;
  readonly duration: number;
}

/** What the channel shows when: from `startsAt` on the items, again and again; until then the end of `before`. */
export interface Schedule {
  /** Milliseconds since the epoch on the server's clock. */
  readonly startsAt: number;
  readonly items: readonly Turn[];
  readonly before: Turn | null;
  /** Milliseconds since the epoch at which the items end and others follow; null where they are all, and begin again. */
  readonly until: number | null;
}

/** Several members' videos, by turns, as one HLS playlist. */
export interface Together {
  readonly members: readonly string[];
  readonly reelUrl: string | null;
}

/** Where the viewer was in this room, and how they watched: the server keeps it, for a frame in another site has no memory. */
export interface Bookmark {
  /** A selection of the page's state; null when nothing showed. */
  readonly selection: string | null;
  readonly videoId: string | null;
  /** Seconds within the video. */
  readonly position: number;
  /** 0 to 1. */
  readonly volume: number;
  readonly muted: boolean;
  readonly speed: number;
  readonly loop: Loop;
  readonly captions: string | null;
  readonly keys: boolean;
  readonly announce: boolean;
}

/** Which part of a list is known: `start` are before it. */
export interface ListWindow {
  readonly loaded: boolean;
  readonly start: number;
  readonly before: boolean;
  readonly after: boolean;
  /** Known videos of the list that are not in this part. */
  readonly outside: ReadonlySet<string>;
}

/** What of a large room is known, which is loaded page by page. */
export interface Large {
  /** By user id, and EVERYONE for everybody's. */
  readonly windows: ReadonlyMap<string, ListWindow>;
  /** How many videos there are that are not known, and how many of these can be watched. */
  readonly more: number;
  readonly morePlayable: number;
  /** How many members there are that are not known. */
  readonly moreMembers: number;
  /** How many videos wait for a moderator's decision, known or not. */
  readonly review: number;
  /** Videos that were there and are not any more. */
  readonly gone: ReadonlySet<string>;
}

/** Who agreed that playable copies of an encrypted room's videos are stored. */
export interface Encryption {
  /** Null where nobody did, and where it is not known any more who it was. */
  readonly optedInBy: string | null;
  readonly optedInByName: string | null;
  /** Milliseconds since the epoch; null where nobody did: no videos are taken. */
  readonly optedInAt: number | null;
  /** The operator has set up encrypted rooms. */
  readonly available: boolean;
  /** The viewer decides. */
  readonly mayOptIn: boolean;
}

export interface Room {
  readonly roomId: string;
  readonly name: string | null;
  /** What it says of videos by reactions is not what people say. Null from a server of an earlier release. */
  readonly bot: string | null;
  /** Everybody's videos as one HLS playlist. */
  readonly channelUrl: string | null;
  /** When the media URLs above stop working; milliseconds since the epoch on the server's clock. */
  readonly grantExpiresAt: number;
  /** The time by which the schedule goes, when the server responded; milliseconds since the epoch. Null from a server of an earlier release. */
  readonly now: number | null;
  /** Null while the channel is empty. */
  readonly schedule: Schedule | null;
  /** The user ids of those who watch the channel now. */
  readonly watching: readonly string[];
  /** A chat of two. */
  readonly direct: boolean;
  /** A link to the room that this one was upgraded to. Null also from a server of an earlier release. */
  readonly replacedBy: string | null;
  /** Null unless several members were requested. */
  readonly together: Together | null;
  /** Null when the viewer is here for the first time. */
  readonly bookmark: Bookmark | null;
  /** What the bot does for the viewer; null inside of a Matrix client, and from a server of an earlier release. */
  readonly can: ReadonlySet<RoomAction> | null;
  /** Null where the room is not encrypted, and from a server of an earlier release. */
  readonly encryption: Encryption | null;
  /** Null where everything is known. */
  readonly large: Large | null;
  readonly members: readonly Member[];
}

export interface Session {
  readonly token: string;
  readonly userId: string;
  readonly roomId: string;
  /** When it ends; milliseconds since the epoch. */
  readonly ends: number;
}

/** True where videos that are sent to a room are taken: in an encrypted one once somebody agreed to that. */
export function takesVideos({ encryption }: Room): boolean {
  return encryption?.optedInAt !== null;
}

/** True when there is something to watch already, even if a better version is still being made. */
export function isPlayable(video: Video): boolean {
  return video.state === 'playable' || video.state === 'ready';
}

/** True for what has more to say than a line holds: why it does not play, or not as it was sent. */
export function hasMuchToSay(video: Video): boolean {
  return video.state === 'failed' || video.audioLeftOut !== null;
}

/** True for what plays in reels: a spoiler does only on request. */
export function playsByItself(video: Video): boolean {
  return isPlayable(video) && !video.spoiler;
}

/** True for what the viewer decides on: whether it is shown (again), or what becomes of reports. */
export function isToReview({ visibility, can, reports }: Video): boolean {
  return (visibility !== 'shown' && can.has('show')) || (reports ?? 0) > 0;
}

/** True while the server still works towards the first frame. */
export function isPending(video: Video): boolean {
  return video.state === 'queued' || video.state === 'processing';
}
