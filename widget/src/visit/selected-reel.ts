// Which reel the player should play for what is selected.
import { playsByItself } from '../core/model';
import type { StartPosition } from '../core/start-position';
import { findEntry, knownOf, selectionOf, spoilerKey, spoilerOf, type State } from '../core/state';
import type { Reel } from '../player/reel';

/** Null while there is nothing to play. `begin` returns where the reel of a key starts when it is opened; null for its start. */
export function selectedReel(state: State, begin: (key: string) => StartPosition | null = () => null): Reel | null {
  const spoiler = spoilerOf(state);
  if (spoiler?.shown === true && spoiler.video.playlistUrl !== null) {
    const { id, playlistUrl, duration } = spoiler.video;
    return { key: spoilerKey(id), url: playlistUrl, durations: new Map([[id, duration ?? 0]]) };
  }
  const selection = selectionOf(state);
  if (!selection?.reelUrl) return null;
  const { room } = state;
  const playable = knownOf(state, selection).filter(({ video }) => playsByItself(video));
  const durations = new Map(playable.map(({ video }) => [video.id, video.duration ?? 0]));
  return { key: selection.key, url: selection.reelUrl, durations, begin: begin(selection.key), ...(room?.large && { mayHold: (id: string) => !room.large?.gone.has(id) && findEntry(room, (video) => video.id === id) === null }) };
}
