// Has the server remember where the viewer is and how they watch: in a frame of another site there is no storage.
import { encodeBookmark } from '../core/decode';
import type { Bookmark } from '../core/model';
import type { State } from '../core/state';
import type { ReelPlayer } from '../player/reel-player';
import type { Server } from './server';

/** Milliseconds between two looks at whether something changed. */
const EVERY = 10_000;

/** Null until something shows. The channel has no place of its own: it is live. */
export function bookmarkOf({ selected }: State, player: ReelPlayer): Bookmark | null {
  const { videoId, reel, position } = player.playback.get();
  const { volume, muted, refused } = player.sound.get();
  const { speed, loop, captions, keys, announce } = player.choices.get();
  if (reel === null || reel !== selected) return null;
  // What the browser muted is not the viewer's wish.
  return { selection: selected, videoId, position: Math.round(position * 10) / 10, volume, muted: muted && !refused, speed, loop, captions, keys, announce };
}

/** `read` tells the moment, null while there is none; hands back the way to stop, which saves once more. */
export function keepBookmark(server: Server, read: () => Bookmark | null): () => void {
  let kept = '';
  const path = server.roomPath('/place');
  const save = (send: (body: object) => void): void => {
    const bookmark = read();
    if (bookmark === null || JSON.stringify(bookmark) === kept) return;
    kept = JSON.stringify(bookmark);
    send(encodeBookmark(bookmark));
  };
  const leave = (): void => save((body) => server.tell('PUT', path, body));
  const hidden = (): void => {
    if (document.hidden) leave();
  };
  // What could not be saved is saved with the next change.
  const timer = setInterval(() => save((body) => void server.call('PUT', path, body).catch(() => (kept = ''))), EVERY);
  window.addEventListener('pagehide', leave);
  document.addEventListener('visibilitychange', hidden);
  return () => {
    leave();
    clearInterval(timer);
    window.removeEventListener('pagehide', leave);
    document.removeEventListener('visibilitychange', hidden);
  };
}
