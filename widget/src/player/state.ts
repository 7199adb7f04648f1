// What the player tells the page.

export interface Playback {
  /** The showing video's id; null while nothing shows. */
  readonly videoId: string | null;
  /** Whose reel shows. */
  readonly reel: string | null;
  /** Seconds within the item. */
  readonly position: number;
  /** Seconds; of the whole video also while it grows. */
  readonly duration: number;
  /** Seconds of the item that exist. */
  readonly available: number;
  /** The viewer's wish; the picture may still be waiting for data. */
  readonly playing: boolean;
  readonly buffering: boolean;
  /** The picture stands because of this. */
  readonly trouble: 'network' | 'media' | null;
  /** The qualities to choose from, as lines of the picture's shorter side, best first; none where nobody can choose. */
  readonly levels: readonly number[];
  /** The quality that plays; null while it is not known. */
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
  trouble: null,
  levels: [],
  level: null,
  order: [],
};
