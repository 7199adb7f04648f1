// Plays one playlist on one video element: what both ways to play HLS have in common.
import type { StartPosition } from '../core/start-position';
import type { Timeline } from '../core/timeline';

/** `stale`: the server no longer serves this URL; `network`: no response; `media`: the browser cannot decode it. */
export type Failure = 'stale' | 'network' | 'media';

export interface EngineEvents {
  /** The items are known, or their times became more exact. */
  timeline(): void;
  failed(failure: Failure): void;
  /** The renditions are known, or another one plays. */
  levels(): void;
  /** The line is too slow for the lowest rendition of this video. */
  slow(videoId: string): void;
}

export interface Engine {
  readonly timeline: Timeline;
  /** The playlist is in progress (`EVENT` without an end): its last item has no end yet. */
  readonly inProgress: boolean;
  /** The grant in its URLs cannot be replaced while it plays. */
  readonly needsFreshUrl: boolean;
  /** Its renditions as lines of the frame's shorter side, best first; none where it cannot choose. */
  readonly levels: readonly number[];
  /** The rendition that plays; null until it is known. */
  readonly level: number | null;
  /** Keeps to the rendition nearest to `level`, from the next media segment on; null lets it choose by itself. */
  fix(level: number | null): void;
  close(): void;
}

export interface EngineOptions {
  readonly video: HTMLVideoElement;
  readonly url: string;
  /** Null for the start of the playlist, which needs no timeline. */
  readonly start: StartPosition | null;
  /** The same URL under the newest grant. */
  readonly renew: (url: string) => string;
  readonly events: EngineEvents;
}

export type OpenEngine = (options: EngineOptions) => Engine;
