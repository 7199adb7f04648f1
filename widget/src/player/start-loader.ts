// Starts a playlist somewhere without loading it twice: hls.js wants a start before it knows the timeline, but heeds one that the playlist names.
import Hls, { type LoaderCallbacks, type LoaderConfiguration, type PlaylistLoaderConstructor, type PlaylistLoaderContext } from 'hls.js/light';
import { firstVariant, startingAt } from '../core/playlist';
import type { StartPosition } from '../core/start-position';
import { playlistOf, startIn } from './fetch-timeline';

/** The loader for hls.js' playlists. While there is nothing at the start yet, it hands over nothing, and calls `onAhead`. */
export function startLoader(wanted: StartPosition, onAhead: () => void): PlaylistLoaderConstructor {
  let placed = false;
  return class extends (Hls.DefaultConfig.loader as PlaylistLoaderConstructor) {
    override load(context: PlaylistLoaderContext, config: LoaderConfiguration, callbacks: LoaderCallbacks<PlaylistLoaderContext>): void {
      const onSuccess: typeof callbacks.onSuccess = (response, ...rest) => {
        const text = response.data;
        if (placed || typeof text !== 'string' || firstVariant(text) !== null) { callbacks.onSuccess(response, ...rest); return; }
        const start = startIn(playlistOf(text), wanted);
        if (start === null) { onAhead(); return; }
        placed = true;
        callbacks.onSuccess({ ...response, data: startingAt(text, start) }, ...rest);
      };
      super.load(context, config, { ...callbacks, onSuccess });
    }
  };
}
