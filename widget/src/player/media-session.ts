// Publishes to the system what plays, for its own controls: keys of the keyboard, headphones, the lock screen.
import type { ReelPlayer } from './reel-player';

/** Seconds of a step when the system does not say. */
const STEP = 10;

export interface Described {
  readonly title: string;
  readonly artist: string;
  /** The poster; null where there is none. */
  readonly artwork: string | null;
}

/** Hands the system's keys to the player; returns the way to take them away. */
export function handleSystemKeys(player: ReelPlayer): () => void {
  const session = sessionOf();
  if (session === null) return () => undefined;
  const step = (sign: 1 | -1) => ({ seekOffset }: MediaSessionActionDetails) => player.step(sign * (seekOffset ?? STEP));
  const actions: [MediaSessionAction, MediaSessionActionHandler][] = [
    ['play', () => player.play()],
    ['pause', () => player.pause()],
    ['nexttrack', () => player.next()],
    ['previoustrack', () => player.previous()],
    ['seekforward', step(1)],
    ['seekbackward', step(-1)],
    ['seekto', ({ seekTime }) => seekTime !== undefined && player.seek(seekTime)],
  ];
  const set = (handled: boolean): void => actions.forEach(([action, handler]) => handle(session, action, handled ? handler : null));
  set(true);
  const stop = player.playback.subscribe(() => publishState(session, player));
  return () => {
    stop();
    set(false);
    session.metadata = null;
    session.playbackState = 'none';
  };
}

export function describe({ title, artist, artwork }: Described): void {
  const session = sessionOf();
  if (session === null) return;
  const images = artwork === null ? [] : [{ src: new URL(artwork, location.href).href }];
  session.metadata = new MediaMetadata({ title, artist, artwork: images });
}

function sessionOf(): MediaSession | null {
  return 'mediaSession' in navigator ? navigator.mediaSession : null;
}

function handle(session: MediaSession, action: MediaSessionAction, handler: MediaSessionActionHandler | null): void {
  try {
    session.setActionHandler(action, handler);
  } catch {
    // This browser does not know the action.
  }
}

/** The position is that within the item: the system must not show the playlist's. */
function publishState(session: MediaSession, player: ReelPlayer): void {
  const { playing, position, duration } = player.playback.get();
  session.playbackState = playing ? 'playing' : 'paused';
  if (duration > 0) session.setPositionState({ duration, position: Math.min(position, duration), playbackRate: player.rate });
}
