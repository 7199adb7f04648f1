// Where the viewer is in the room and how they watch, read from the player.
import type { Bookmark } from '../core/model';
import type { State } from '../core/state';
import type { ReelPlayer } from './reel-player';

/** Null until something shows. */
export function bookmarkOf({ selected }: State, player: ReelPlayer): Bookmark | null {
  const { videoId, reel, position } = player.playback.get();
  const { volume, muted, refused } = player.audio.get();
  const { speed, loop, captions, keys, announce } = player.choices.get();
  if (reel === null || reel !== selected) return null;
  // What the browser muted is not the viewer's wish.
  return { selection: selected, videoId, position: Math.round(position * 10) / 10, volume, muted: muted && !refused, speed, loop, captions, keys, announce };
}
