import { describe, expect, it } from 'vitest';
import type { Member, Room, Video, VideoState } from './model';
import { emptinessOf, EVERYONE, furthest, INITIAL, inOrder, reduce, selectionOf, type State } from './state';

function video(id: string, state: VideoState = 'ready'): Video {
  return { id, title: id, state, visibility: 'shown', duration: 1, posterUrl: null, blurhash: null, progress: null, createdAt: 0, failure: null };
}

function member(userId: string, videos: readonly Video[] = []): Member {
  const reelUrl = videos.some(({ state }) => state === 'ready') ? `/media/1.s/r/reel/${userId}/1/index.m3u8` : null;
  return { userId, displayName: null, avatarUrl: null, reelUrl, videos };
}

function room(members: readonly Member[], channelUrl: string | null = null): Room {
  return { roomId: '!r', name: null, channelUrl, grantExpiresAt: 0, members };
}

function after(state: State, ...rooms: Room[]): State {
  return rooms.reduce((now, next) => reduce(now, { type: 'room', room: next }), state);
}

const ALICE = member('@alice:x', [video('a1'), video('a2')]);
const BOB = member('@bob:x');
const AS_BOB = reduce(INITIAL, { type: 'signed-in', viewer: '@bob:x' });

describe('selection', () => {
  it('is everyone where there is a channel, else the first who plays', () => {
    expect(after(AS_BOB, room([ALICE], '/media/1.s/r/reel/all/1/index.m3u8')).selected).toBe(EVERYONE);
    expect(after(AS_BOB, room([BOB, ALICE])).selected).toBe('@alice:x');
  });

  it('waits at the viewer while nobody has sent anything, and goes where the first video appears', () => {
    const waiting = after(AS_BOB, room([member('@alice:x'), BOB]));
    expect(waiting.selected).toBe('@bob:x');
    expect(after(waiting, room([ALICE, BOB])).selected).toBe('@alice:x');
  });

  it('stays where the viewer put it, even where nothing plays yet', () => {
    const chosen = reduce(after(AS_BOB, room([ALICE, BOB])), { type: 'select', selected: '@bob:x' });
    expect(after(chosen, room([ALICE, BOB])).selected).toBe('@bob:x');
  });

  it('stays when another member becomes the first', () => {
    const playing = after(AS_BOB, room([ALICE, BOB]));
    const bobToo = member('@bob:x', [video('b1')]);
    expect(after(playing, room([bobToo, ALICE])).selected).toBe('@alice:x');
  });

  it('moves on when the member has left', () => {
    const chosen = reduce(after(AS_BOB, room([ALICE, BOB])), { type: 'select', selected: '@bob:x' });
    expect(after(chosen, room([ALICE])).selected).toBe('@alice:x');
  });

  it('is nobody in an empty room', () => {
    expect(selectionOf(after(INITIAL, room([])))).toBeNull();
  });
});

describe('emptiness', () => {
  const seen = (members: readonly Member[], selected?: string): ReturnType<typeof emptinessOf> => {
    const state = after(AS_BOB, room(members));
    return emptinessOf(selected === undefined ? state : reduce(state, { type: 'select', selected }));
  };

  it('tells the cases apart', () => {
    expect(seen([member('@alice:x'), BOB])).toBe('room');
    expect(seen([ALICE, BOB], '@bob:x')).toBe('own');
    expect(seen([ALICE, member('@carol:x')], '@carol:x')).toBe('member');
    expect(seen([member('@alice:x', [video('a', 'processing')])])).toBe('preparing');
    expect(seen([member('@alice:x', [video('a', 'queued')])])).toBe('waiting');
    expect(seen([member('@alice:x', [video('a', 'queued'), video('b', 'processing')])])).toBe('preparing');
    expect(seen([member('@alice:x', [video('a', 'failed')])])).toBe('failed');
    expect(seen([ALICE])).toBeNull();
  });
});

describe('progress', () => {
  const working = after(AS_BOB, room([member('@alice:x', [video('a', 'processing'), video('b', 'processing')]), BOB]));
  const further = reduce(working, { type: 'progress', videoId: 'b', progress: { percent: 42, remaining: 20 } });

  it('changes one video and nothing else', () => {
    expect(further.room?.members[0]?.videos.map(({ progress }) => progress)).toEqual([null, { percent: 42, remaining: 20 }]);
    expect(further.room?.members[1]).toBe(BOB);
    expect(reduce(further, { type: 'progress', videoId: 'gone', progress: { percent: 1, remaining: null } })).toEqual(further);
    expect(reduce(AS_BOB, { type: 'progress', videoId: 'b', progress: { percent: 1, remaining: null } }).room).toBeNull();
  });

  it('is told of the video that is furthest', () => {
    expect(furthest(selectionOf(further)?.entries ?? [])?.id).toBe('b');
    expect(furthest(selectionOf(working)?.entries ?? [])?.id).toBe('a');
    expect(furthest([])).toBeNull();
  });
});

describe('trouble', () => {
  const watching = after(AS_BOB, room([ALICE]));

  it('of the connection leaves what is on the screen', () => {
    const offline = reduce(watching, { type: 'trouble', trouble: 'offline' });
    expect([offline.room, offline.stale, offline.trouble]).toEqual([watching.room, true, null]);
    expect(reduce(offline, { type: 'live', live: true }).stale).toBe(false);
  });

  it('of the membership takes it away', () => {
    expect(reduce(watching, { type: 'trouble', trouble: 'not-member' })).toMatchObject({ room: null, trouble: 'not-member' });
  });

  it('ends with the room, except where the browser cannot play', () => {
    const first = reduce(INITIAL, { type: 'trouble', trouble: 'offline' });
    expect(after(first, room([ALICE])).trouble).toBeNull();
    expect(after(reduce(INITIAL, { type: 'trouble', trouble: 'unsupported' }), room([ALICE])).trouble).toBe('unsupported');
  });
});

describe('inOrder', () => {
  it('puts what plays in playing order and the rest after it', () => {
    const entries = ['wait', 'b', 'a', 'late'].map((id) => ({ video: video(id), owner: ALICE }));
    expect(inOrder(entries, ['a', 'b']).map((entry) => entry.video.id)).toEqual(['a', 'b', 'wait', 'late']);
  });
});
