// Saves at the server where the viewer is and how they watch: in a frame of another site there is no storage.
import { encodeBookmark } from '../core/decode';
import type { Bookmark } from '../core/model';
import type { Server } from './server';

/** Milliseconds between two looks at whether something changed. */
const EVERY = 10_000;

/** Saves what `read` returns, null while there is nothing, whenever it has changed; returns the way to stop, which saves once more. */
export function keepBookmark(server: Server, read: () => Bookmark | null): () => void {
  let kept = '';
  const path = server.roomPath('/place');
  const save = (send: (body: object) => void): void => {
    const bookmark = read();
    if (bookmark === null || JSON.stringify(bookmark) === kept) return;
    kept = JSON.stringify(bookmark);
    send(encodeBookmark(bookmark));
  };
  const leave = (): void => save((body) => server.notify('PUT', path, body));
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
