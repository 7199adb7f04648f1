// Reads a reel's items from its playlists before it plays, to begin at one of them.
import { sleep } from '../browser/pause';
import { firstVariant, isWhole, segmentsOf } from '../core/playlist';
import { timelineOf, type Timeline } from '../core/timeline';
import type { Failure, Place } from './engine';

/** Milliseconds between two looks at a playlist that grows: about its segments' length. */
export const LOOK_AGAIN = 2_000;

/** A playlist could not be had. */
export class PlaylistError extends Error {
  override readonly name = 'PlaylistError';

  constructor(
    readonly failure: Failure,
    options?: ErrorOptions,
  ) {
    super(failure, options);
  }
}

export interface Content {
  readonly timeline: Timeline;
  /** The last item is still being made. */
  readonly growing: boolean;
}

/** The items, and the place in them once it exists: that of a video which grows anew may be ahead. Rejects as `fetchContent` does. */
export async function findPlace(url: () => string, place: Place, signal: AbortSignal): Promise<Content & { readonly start: number }> {
  for (;;) {
    const content = await fetchContent(url(), signal);
    const start = startIn(content, place);
    if (start !== null) return { ...content, start };
    await sleep(LOOK_AGAIN);
  }
}

/** Seconds on the timeline at which a place is; null while it does not exist yet. */
export function startIn({ timeline, growing }: Content, place: Place): number | null {
  const start = place(timeline);
  const last = timeline.at(-1);
  return !growing || last === undefined || start < last.start + last.duration ? start : null;
}

/** What a media playlist holds. */
export function contentOf(text: string): Content {
  return { timeline: timelineOf(segmentsOf(text)), growing: !isWhole(text) };
}

/** The items on the first variant's timeline, from which those of the others do not differ noticeably. Rejects with PlaylistError, or when aborted. */
export async function fetchContent(url: string, signal: AbortSignal): Promise<Content> {
  const main = await fetchText(url, signal);
  const variant = firstVariant(main);
  const text = variant === null ? main : await fetchText(new URL(variant, new URL(url, location.href)).href, signal);
  return contentOf(text);
}

async function fetchText(url: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(url, { signal, credentials: 'omit' }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new PlaylistError('network', { cause: error });
  });
  if (!response.ok) throw new PlaylistError(response.status < 500 ? 'stale' : 'network');
  return response.text();
}
