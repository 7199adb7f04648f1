// Reads a reel's items from its playlists before it plays, to begin at one of them.
import { firstVariant, segmentsOf } from '../core/playlist';
import { timelineOf, type Timeline } from '../core/timeline';
import type { Failure } from './deck';

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

/** The items on the first variant's timeline, from which those of the others do not differ noticeably. Rejects with PlaylistError, or when aborted. */
export async function fetchTimeline(url: string, signal: AbortSignal): Promise<Timeline> {
  const main = await fetchText(url, signal);
  const variant = firstVariant(main);
  if (variant === null) return timelineOf(segmentsOf(main));
  return timelineOf(segmentsOf(await fetchText(new URL(variant, new URL(url, location.href)).href, signal)));
}

async function fetchText(url: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(url, { signal, credentials: 'omit' }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new PlaylistError('network', { cause: error });
  });
  if (!response.ok) throw new PlaylistError(response.status < 500 ? 'stale' : 'network');
  return response.text();
}
