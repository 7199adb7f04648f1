// Reads a reel's timeline from its playlists before it plays, to start at one of its items.
import { sleep } from '../browser/pause';
import { firstVariant, isEnded, segmentsOf } from '../core/playlist';
import type { StartPosition } from '../core/start-position';
import { timelineOf, type Timeline } from '../core/timeline';
import type { Failure } from './engine';

/** Milliseconds between two requests for a playlist in progress: about its segments' length. */
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

export interface Playlist {
  readonly timeline: Timeline;
  /** Its last item has no end yet. */
  readonly inProgress: boolean;
}

/** The playlist once its start exists: that of a video in progress may be ahead. Rejects as `fetchPlaylist` does. */
export async function awaitStart(url: () => string, wanted: StartPosition, signal: AbortSignal): Promise<Playlist & { readonly start: number }> {
  for (;;) {
    const playlist = await fetchPlaylist(url(), signal);
    const start = startIn(playlist, wanted);
    if (start !== null) return { ...playlist, start };
    await sleep(LOOK_AGAIN);
  }
}

/** Seconds on the timeline at which to start; null while there is nothing yet. */
export function startIn({ timeline, inProgress }: Playlist, wanted: StartPosition): number | null {
  const start = wanted(timeline);
  const last = timeline.at(-1);
  return !inProgress || last === undefined || start < last.start + last.duration ? start : null;
}

/** Parses a media playlist. */
export function playlistOf(text: string): Playlist {
  return { timeline: timelineOf(segmentsOf(text)), inProgress: !isEnded(text) };
}

/** The first variant's playlist, from whose timeline those of the others do not differ noticeably. Rejects with PlaylistError, or when aborted. */
export async function fetchPlaylist(url: string, signal: AbortSignal): Promise<Playlist> {
  const main = await fetchText(url, signal);
  const variant = firstVariant(main);
  const text = variant === null ? main : await fetchText(new URL(variant, new URL(url, location.href)).href, signal);
  return playlistOf(text);
}

async function fetchText(url: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(url, { signal, credentials: 'omit' }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new PlaylistError('network', { cause: error });
  });
  if (!response.ok) throw new PlaylistError(response.status < 500 ? 'stale' : 'network');
  return response.text();
}
