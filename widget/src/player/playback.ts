// What plays, for the page to show.

export interface Playback {
  /** The showing video's id; null while nothing shows. */
  readonly videoId: string | null;
  /** Whose reel shows. */
  readonly reel: string | null;
  /** Seconds within the item. */
  readonly position: number;
  /** Seconds; of the whole video also while it is in progress. */
  readonly duration: number;
  /** Seconds of the item that exist. */
  readonly available: number;
  /** The viewer's wish; the video may still be waiting for data. */
  readonly playing: boolean;
  readonly buffering: boolean;
  /** Why the video stands. */
  readonly problem: 'network' | 'media' | null;
  /** The renditions to choose from, as lines of the frame's shorter side, best first; none where nobody can choose. */
  readonly levels: readonly number[];
  /** The rendition that plays; null while it is not known. */
  readonly level: number | null;
  /** The ids of the reel in playing order. */
  readonly order: readonly string[];
}

export const IDLE: Playback = {
  videoId: null,
  reel: null,
  position: 0,
  duration: 0,
  available: 0,
  playing: false,
  buffering: false,
  problem: null,
  levels: [],
  level: null,
  order: [],
};
