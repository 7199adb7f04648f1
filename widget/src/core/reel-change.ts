// What becomes of a player when it is given a reel: the same one, a newer version of it, or another.

/** What a player opens. */
export interface Source {
  readonly key: string;
  readonly url: string;
  /** Equal for equal content, whatever the grant. */
  readonly identity: string;
}

/** What a player is doing. */
export interface Current {
  /** What shows; null while nothing does. */
  readonly shown: Source | null;
  /** The grant in its URLs cannot be replaced while it plays. */
  readonly needsFreshUrl: boolean;
  /** What is being opened behind it. */
  readonly opening: Source | null;
  /** Of the reel that went away in the middle of a video in progress. */
  readonly left: string | null;
}

/**
 * `wait`: it is being opened already; `return`: to where it was left; `open`: from its start, or from the wanted video; `replace`: the newer version takes
 * over; `keep`: it shows.
 */
export type ReelChange = 'wait' | 'return' | 'open' | 'replace' | 'keep';

/** `wanted`: the viewer wants a certain video of it. */
export function reelChange(source: Source, { shown, needsFreshUrl, opening, left }: Current, wanted: boolean): ReelChange {
  if (!wanted && opening?.identity === source.identity && opening.key === source.key) return 'wait';
  if (!wanted && shown === null && left === source.key) return 'return';
  if (wanted || shown?.key !== source.key) return 'open';
  return shown.identity !== source.identity || (needsFreshUrl && shown.url !== source.url) ? 'replace' : 'keep';
}

/** How a newer version takes over: at the same offset where the old one cannot go on, at once when its video is gone, else at the item's end. */
export type Takeover = 'resume' | 'skip' | 'boundary';

/** `stuck`: what shows failed, or waits for data that its version will never have. */
export function takeoverOf(videoId: string | undefined, stuck: boolean, ids: { has(videoId: string): boolean }): Takeover {
  if (stuck) return 'resume';
  return videoId === undefined || !ids.has(videoId) ? 'skip' : 'boundary';
}
