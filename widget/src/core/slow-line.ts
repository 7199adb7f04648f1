// Whether the viewer's line is too slow for a video: whether its lowest rendition takes longer to load than it plays.

/** Seconds of a video that have to be loaded before that says anything. */
const ENOUGH = 2;
const OF_MEDIA = /^(.*)\/(?:reel|v)\/.+$/;

export class LineWatch {
  readonly #sums = new Map<string, { loading: number; played: number }>();

  /** Counts a media segment of the lowest rendition: seconds that it took to load, and that it plays. True once for a video that is too slow. */
  add(videoId: string, loading: number, duration: number): boolean {
    const before = this.#sums.get(videoId) ?? { loading: 0, played: 0 };
    const after = { loading: before.loading + loading, played: before.played + duration };
    this.#sums.set(videoId, after);
    return isSlow(after) && !isSlow(before);
  }
}

function isSlow({ loading, played }: { loading: number; played: number }): boolean {
  return played >= ENOUGH && loading > played;
}

/** Where to report that; null when `url` is none of a reel or a video. */
export function slowLineUrl(url: string, videoId: string): string | null {
  const root = OF_MEDIA.exec(url)?.[1];
  return root === undefined ? null : `${root}/v/${videoId}/slow`;
}
