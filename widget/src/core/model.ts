// What the server tells the widget about a room, after validation.

/** How far a video has come on the server. */
export type VideoState = 'queued' | 'processing' | 'playable' | 'ready' | 'failed';

/** Who may see a video; `held` waits for a moderator. */
export type Visibility = 'shown' | 'hidden' | 'held' | 'removed';

/** How far the server's work on a video is. */
export interface Progress {
  /** 0 to 100. */
  readonly percent: number;
  /** Seconds; null while nobody can tell. */
  readonly remaining: number | null;
}

export interface Video {
  readonly id: string;
  readonly title: string | null;
  readonly state: VideoState;
  readonly visibility: Visibility;
  /** Seconds, of the whole video also while only its beginning can be watched; null until the file was examined. */
  readonly duration: number | null;
  readonly posterUrl: string | null;
  /** The poster in some thirty characters. */
  readonly blurhash: string | null;
  /** Null while nobody works on it. */
  readonly progress: Progress | null;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  /** Why it failed: a code of the catalogue's `failure-…` messages. */
  readonly failure: string | null;
}

export interface Member {
  readonly userId: string;
  readonly displayName: string | null;
  readonly avatarUrl: string | null;
  /** The member's playable videos as one HLS playlist. */
  readonly reelUrl: string | null;
  /** In the order of the reel. */
  readonly videos: readonly Video[];
}

export interface Room {
  readonly roomId: string;
  readonly name: string | null;
  /** Everybody's videos as one HLS playlist. */
  readonly channelUrl: string | null;
  /** When the media URLs above stop working; milliseconds since the epoch on the server's clock. */
  readonly grantExpiresAt: number;
  readonly members: readonly Member[];
}

export interface Session {
  readonly token: string;
  readonly userId: string;
  readonly roomId: string;
}

/** True when there is something to watch already, even if a better version is still being made. */
export function isPlayable(video: Video): boolean {
  return video.state === 'playable' || video.state === 'ready';
}

/** True while the server still works towards the first picture. */
export function isPending(video: Video): boolean {
  return video.state === 'queued' || video.state === 'processing';
}
