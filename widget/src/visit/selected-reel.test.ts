import { describe, expect, it } from 'vitest';
import { aMember, aRoom, aVideo } from '../core/samples';
import { INITIAL, reduce, type Action, type State } from '../core/state';
import { selectedReel } from './selected-reel';

const ALICE = '@alice:x';
const spoiler = aVideo('s', 'ready', { spoiler: true, playlistUrl: '/media/1.s/r/v/s/index.m3u8', duration: 4 });
const room = aRoom([aMember(ALICE, [aVideo('a', 'ready', { duration: 2 }), aVideo('b', 'failed'), spoiler])]);
const after = (...actions: readonly Action[]): State => actions.reduce(reduce, INITIAL);

describe('the selected reel', () => {
  it('holds the durations of what plays in it, and starts where it is told', () => {
    const start = (): number => 3;
    const reel = selectedReel(after({ type: 'room', room }), (key) => (key === ALICE ? start : null));
    expect(reel).toEqual({ key: ALICE, url: room.members[0]?.reelUrl, durations: new Map([['a', 2]]), begin: start });
  });

  it('is the spoiler alone once it is shown', () => {
    const picked: Action = { type: 'spoiler', videoId: 's', shown: false };
    expect(selectedReel(after({ type: 'room', room }, picked))?.key).toBe(ALICE);
    expect(selectedReel(after({ type: 'room', room }, { ...picked, shown: true }))).toEqual({ key: '!s', url: spoiler.playlistUrl, durations: new Map([['s', 4]]) });
  });

  it('is none before there is a room, and where nothing plays', () => {
    expect([selectedReel(INITIAL), selectedReel(after({ type: 'room', room: aRoom([aMember(ALICE, [aVideo('q', 'queued')])]) }))]).toEqual([null, null]);
  });
});
