// One playlist on one video element: what both ways to play HLS have in common.
import type { Timeline } from '../core/timeline';

/** `stale`: the server no longer gives this URL; `network`: no answer; `media`: the browser cannot decode it. */
export type Failure = 'stale' | 'network' | 'media';

export interface DeckEvents {
  /** The items are known, or their times became more exact. */
  timeline(): void;
  failed(failure: Failure): void;
  /** The qualities are known, or another one plays. */
  levels(): void;
}

export interface Deck {
  readonly timeline: Timeline;
  /** The last item is still being made: it has no end yet. */
  readonly growing: boolean;
  /** The grant in its URLs cannot be replaced while it plays. */
  readonly needsFreshUrl: boolean;
  /** Its qualities as lines of the picture's shorter side, best first; none where it cannot choose. */
  readonly levels: readonly number[];
  /** The quality that plays; null until it is known. */
  readonly level: number | null;
  /** Keeps to the quality nearest to a wish, from the next segment on; null lets it choose by itself. */
  fix(level: number | null): void;
  close(): void;
}

/** Where to begin, decided once the items are known; asked again while the place does not exist yet. Seconds on the playlist's timeline. */
export type Place = (timeline: Timeline) => number;

export interface DeckOptions {
  readonly video: HTMLVideoElement;
  readonly url: string;
  /** Null for the beginning, which needs to know nothing. */
  readonly place: Place | null;
  /** The same URL under the newest grant. */
  readonly renew: (url: string) => string;
  readonly events: DeckEvents;
}

export type OpenDeck = (options: DeckOptions) => Deck;
