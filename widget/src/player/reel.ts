// What a player is given to play, and what it says of what it shows.
import { mediaName, reelIdentity } from '../core/grant';
import type { Source } from '../core/reel-change';
import type { StartPosition } from '../core/start-position';
import type { Item, Timeline } from '../core/timeline';

export interface Reel {
  readonly key: string;
  readonly url: string;
  /** Seconds of the videos that are still there, by id: of the whole, also while one is in progress. */
  readonly durations: ReadonlyMap<string, number>;
  /** Whether a video that is not among them may be there all the same, for of a large room not all is known. */
  readonly mayHold?: (videoId: string) => boolean;
  /** Where it starts when it is opened; null for its start. */
  readonly begin?: StartPosition | null;
}

/** What shows, for whoever keeps it in sync. */
export interface SyncState {
  readonly key: string;
  readonly timeline: Timeline;
  /** Seconds on the timeline. */
  readonly time: number;
  readonly item: Item | null;
  /** More is to come at the end of the timeline. */
  readonly inProgress: boolean;
  readonly advancing: boolean;
  /** A newer version takes over at the item's end. */
  readonly replaced: boolean;
}

/** What shows, for those who add something to it. */
export interface Showing {
  readonly video: HTMLVideoElement;
  readonly item: Item;
}

export function sourceOf({ key, url }: Reel): Source {
  return { key, url, identity: reelIdentity(url) ?? mediaName(url) };
}
