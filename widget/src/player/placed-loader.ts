// Begins a playlist at a place without reading it twice: hls.js wants a start before it knows the items, but heeds one that the playlist names.
import Hls, { type LoaderCallbacks, type LoaderConfiguration, type PlaylistLoaderConstructor, type PlaylistLoaderContext } from 'hls.js/light';
import { firstVariant, startingAt } from '../core/playlist';
import type { Place } from './engine';
import { contentOf, startIn } from './fetch-timeline';

/** What hls.js is to load playlists with. When the place does not exist yet, it is handed nothing, and `onAhead` is called. */
export function placedLoader(place: Place, onAhead: () => void): PlaylistLoaderConstructor {
  let placed = false;
  return class extends (Hls.DefaultConfig.loader as PlaylistLoaderConstructor) {
    override load(context: PlaylistLoaderContext, config: LoaderConfiguration, callbacks: LoaderCallbacks<PlaylistLoaderContext>): void {
      const onSuccess: typeof callbacks.onSuccess = (response, ...rest) => {
        const text = response.data;
        if (placed || typeof text !== 'string' || firstVariant(text) !== null) { callbacks.onSuccess(response, ...rest); return; }
        const start = startIn(contentOf(text), place);
        if (start === null) { onAhead(); return; }
        placed = true;
        callbacks.onSuccess({ ...response, data: startingAt(text, start) }, ...rest);
      };
      super.load(context, config, { ...callbacks, onSuccess });
    }
  };
}
