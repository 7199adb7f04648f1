// Chooses how this browser plays HLS. hls.js is asked first: some browsers only believe that they could do it alone.
import type { OpenDeck } from './deck';

/** Loads the player code; hands back null where neither way exists. Rejects when the code cannot be fetched. */
export async function loadPlayer(): Promise<OpenDeck | null> {
  const { HlsDeck, isSupported } = await import('./hls-deck');
  if (isSupported()) return (options) => new HlsDeck(options);
  if (document.createElement('video').canPlayType('application/vnd.apple.mpegurl') === '') return null;
  const { NativeDeck } = await import('./native-deck');
  return (options) => new NativeDeck(options);
}
