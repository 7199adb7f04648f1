// Loads the player's code and chooses how this browser plays HLS. hls.js comes first: some browsers only believe that they could do it alone.
import type { OpenEngine } from './engine';
import type { ReelPlayer } from './reel-player';

export type CreatePlayer = (renew: (url: string) => string, onStale: () => Promise<void>, autoplay: boolean) => ReelPlayer;

/** `code` is the player's. Null where this browser has no way to play. Rejects when the code cannot be fetched. */
export async function loadPlayer(code: Promise<{ readonly ReelPlayer: typeof ReelPlayer }>): Promise<CreatePlayer | null> {
  // At once, for one would wait for the other.
  const [{ ReelPlayer }, openEngine] = await Promise.all([code, chooseEngine()]);
  return openEngine && ((renew, onStale, autoplay) => new ReelPlayer(openEngine, renew, onStale, autoplay));
}

/** How this browser plays a playlist; null where it cannot. */
export async function chooseEngine(): Promise<OpenEngine | null> {
  const { HlsEngine, isSupported, NativeEngine } = await import('./engines');
  if (isSupported()) return (options) => new HlsEngine(options);
  if (document.createElement('video').canPlayType('application/vnd.apple.mpegurl') === '') return null;
  return (options) => new NativeEngine(options);
}
