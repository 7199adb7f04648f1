import { describe, expect, it } from 'vitest';
import type { Bookmark, Member, Room, Video } from './model';
import { aMember, aRoom, aVideo } from './samples';
import { emptinessOf, EVERYONE, furthest, INITIAL, inOrder, inStrip, reduce, selectionOf, spoilerKey, spoilerOf, toReview, type State } from './state';

const video = aVideo;
const member = aMember;

function room(members: readonly Member[], channelUrl: string | null = null): Room {
  return aRoom(members, { channelUrl });
}

function after(state: State, ...rooms: Room[]): State {
  return rooms.reduce((now, next) => reduce(now, { type: 'room', room: next }), state);
}

const PLACE: Bookmark = { selection: null, videoId: null, position: 0, volume: 1, muted: false, speed: 1, loop: 'list', captions: null, keys: true, announce: true };
const ALICE = member('@alice:x', [video('a1'), video('a2')]);
const BOB = member('@bob:x');
const AS_BOB = reduce(INITIAL, { type: 'signed-in', viewer: '@bob:x' });

describe('selection', () => {
  it('is everyone where there is a channel, else the first who plays', () => {
    expect(after(AS_BOB, room([ALICE], '/media/1.s/r/reel/all/1/index.m3u8')).selected).toBe(EVERYONE);
    expect(after(AS_BOB, room([BOB, ALICE])).selected).toBe('@alice:x');
  });

  it('is at first where the viewer was the last time, as long as it is there', () => {
    const bookmark = { ...PLACE, selection: '@bob:x' };
    const back = after(AS_BOB, aRoom([ALICE, BOB], { bookmark }));
    expect([back.selected, back.chosen]).toEqual(['@bob:x', true]);
    expect(after(back, aRoom([ALICE, BOB], { bookmark: { ...bookmark, selection: '@alice:x' } })).selected).toBe('@bob:x');
    expect(after(AS_BOB, aRoom([ALICE], { bookmark })).selected).toBe('@alice:x');
    expect(after(AS_BOB, aRoom([ALICE], { bookmark: { ...bookmark, selection: null } })).selected).toBe('@alice:x');
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

describe('several', () => {
  const room = (fields: Partial<Room> = {}): Room => aRoom([ALICE, CAROL, BOB], fields);
  const CAROL = member('@carol:x', [video('c1'), video('c2', 'failed'), video('c3')]);
  const KEY = '@alice:x+@carol:x';
  const together = { members: ['@carol:x', '@alice:x'], reelUrl: '/media/1.s/r/reel/1+2/1/index.m3u8' };
  const wanting = reduce(after(AS_BOB, room()), { type: 'select', selected: KEY });

  it('leave what shows until the server has put them together', () => {
    expect([wanting.selected, wanting.wanted]).toEqual(['@alice:x', KEY]);
    const others = after(wanting, room({ together: { members: ['@alice:x', '@bob:x'], reelUrl: null } }));
    expect([others.selected, others.wanted]).toEqual(['@alice:x', KEY]);
    const there = after(others, room({ together }));
    expect([there.selected, there.wanted, there.chosen]).toEqual([KEY, null, true]);
  });

  it('take turns, and what failed is left out', () => {
    const selection = selectionOf(after(wanting, room({ together })));
    expect(selection?.entries.map((entry) => entry.video.id)).toEqual(['c1', 'a1', 'c3', 'a2']);
    expect([selection?.reelUrl, selection?.member, selection?.turns.length]).toEqual([together.reelUrl, null, 2]);
  });

  it('stay while they are there, and give way to a single choice at once', () => {
    const there = after(wanting, room({ together }), room({ together }));
    expect(there.selected).toBe(KEY);
    const single = reduce(there, { type: 'select', selected: '@bob:x' });
    expect([single.selected, single.wanted]).toEqual(['@bob:x', null]);
    expect(reduce(single, { type: 'select', selected: KEY }).selected).toBe(KEY);
  });

  it('go on as one when the other has left, and end when all have', () => {
    const there = after(wanting, room({ together }));
    const one = after(there, aRoom([ALICE, BOB], { together: { members: ['@alice:x'], reelUrl: '/r' } }));
    expect(selectionOf(one)).toMatchObject({ key: KEY, reelUrl: '/r' });
    expect(after(there, aRoom([BOB], { together: { members: [], reelUrl: null } })).selected).toBe('@bob:x');
  });

  it('come back where the viewer was the last time', () => {
    const bookmark = { selection: KEY, videoId: null, position: 0, volume: 1, muted: false, speed: 1, loop: 'list', captions: null, keys: true, announce: true } as const;
    const first = after(AS_BOB, room({ bookmark }));
    expect([first.selected, first.wanted]).toEqual(['@alice:x', KEY]);
    expect(after(first, room({ bookmark, together })).selected).toBe(KEY);
  });
});

describe('a chat of two', () => {
  const [his, hers] = [member('@bob:x', [video('b1')]), ALICE];
  const channel = { direct: true, channelUrl: '/media/1.s/r/reel/all/1/index.m3u8' };

  it('greets with the other one, and has oneself beside', () => {
    const state = after(AS_BOB, aRoom([his, hers], channel));
    expect(state.selected).toBe('@alice:x');
    expect(inStrip(aRoom([his, hers], channel), '@bob:x').map(({ userId }) => userId)).toEqual(['@alice:x', '@bob:x']);
  });

  it('shows oneself while the other has nothing', () => {
    expect(after(AS_BOB, aRoom([his, member('@alice:x')], channel)).selected).toBe('@bob:x');
    expect(after(AS_BOB, aRoom([BOB, member('@alice:x')], { direct: true })).selected).toBe('@bob:x');
  });
});

describe('emptiness', () => {
  const seen = (members: readonly Member[], selected?: string): ReturnType<typeof emptinessOf> => {
    const state = after(AS_BOB, room(members));
    return emptinessOf(selected === undefined ? state : reduce(state, { type: 'select', selected }));
  };

  it('tells the cases apart', () => {
    expect(seen([member('@alice:x'), BOB])).toBe('room');
    expect(emptinessOf(after(AS_BOB, aRoom([member('@alice:x'), BOB], { replacedBy: 'https://matrix.to/#/!new' })))).toBe('moved');
    expect(seen([ALICE, BOB], '@bob:x')).toBe('own');
    expect(seen([ALICE, member('@carol:x')], '@carol:x')).toBe('member');
    expect(seen([member('@alice:x', [video('a', 'processing')])])).toBe('preparing');
    expect(seen([member('@alice:x', [video('a', 'queued')])])).toBe('waiting');
    expect(seen([member('@alice:x', [video('a', 'queued'), video('b', 'processing')])])).toBe('preparing');
    expect(seen([member('@alice:x', [video('a', 'failed')])])).toBe('failed');
    expect(seen([ALICE])).toBeNull();
    for (const fields of [{ visibility: 'held' }, { visibility: 'hidden' }] as const) {
      expect(seen([member('@alice:x', [video('a', 'ready', fields), video('b', 'failed')], { reelUrl: null })])).toBe('withheld');
      expect(seen([member('@alice:x', [video('a', 'ready', fields), video('b', 'queued')], { reelUrl: null })])).toBe('waiting');
    }
  });

  it('is for want of consent in an encrypted room that nobody opted in, and only where there is nothing to see', () => {
    const encryption = { optedInBy: null, optedInByName: null, optedInAt: null, available: true, mayOptIn: false };
    const empty = [member('@alice:x'), BOB];
    const seenIn = (members: readonly Member[], fields: Partial<Room>): ReturnType<typeof emptinessOf> => emptinessOf(after(AS_BOB, aRoom(members, fields)));
    expect(seenIn(empty, { encryption })).toBe('consent');
    expect(seenIn(empty, { encryption: { ...encryption, optedInAt: 7 } })).toBe('room');
    expect(seenIn(empty, { encryption, replacedBy: 'https://matrix.to/#/!new' })).toBe('moved');
    // What was sent before the room was encrypted plays on.
    expect(seenIn([ALICE, BOB], { encryption })).toBeNull();
    const withoutVideos = reduce(after(AS_BOB, aRoom([ALICE, BOB], { encryption })), { type: 'select', selected: '@bob:x' });
    expect(emptinessOf(withoutVideos)).toBe('consent');
  });
});

describe('what is to be decided', () => {
  it('is held or reported, and the first to come is the first', () => {
    const held = (id: string, createdAt: number): Video => video(id, 'ready', { visibility: 'held', createdAt, can: new Set(['show', 'reject']) });
    const reported = video('r', 'ready', { reports: 2 });
    const others = [video('q', 'ready', { visibility: 'held' }), video('s', 'ready', { reports: 0 }), video('h', 'ready', { visibility: 'hidden', reports: 1 })];
    const { waiting, reported: told } = toReview(after(AS_BOB, room([member('@alice:x', [held('late', 2), reported, ...others]), member('@bob:x', [held('early', 1)])])));
    expect([waiting, told].map((entries) => entries.map(({ video: { id } }) => id))).toEqual([['early', 'late'], ['r']]);
    expect(toReview(INITIAL)).toEqual({ waiting: [], reported: [] });
  });
});

describe('a spoiler', () => {
  const playlistUrl = '/media/1.s/r/v/s1/2-ready/index.m3u8';
  const hidden = video('s1', 'ready', { spoiler: true, spoilerReason: 'blood', playlistUrl });
  const carol = member('@carol:x', [hidden, video('c1')]);
  const there = after(AS_BOB, room([carol, ALICE]));
  const ask = (state: State, videoId: string | null, shown = false): State => reduce(state, { type: 'spoiler', videoId, shown });

  it('is asked about when it is picked, and shown when the viewer says so', () => {
    expect(spoilerOf(there)).toBeNull();
    const asked = ask(there, 's1');
    expect(spoilerOf(asked)).toMatchObject({ video: { id: 's1' }, owner: { userId: '@carol:x' }, shown: false });
    expect(spoilerOf(ask(asked, 's1', true))?.shown).toBe(true);
    expect(spoilerOf(ask(asked, null))).toBeNull();
  });

  it('is over when the viewer goes elsewhere, and when it is none any more', () => {
    const shown = ask(there, 's1', true);
    expect(reduce(shown, { type: 'select', selected: '@alice:x' }).spoiler).toBeNull();
    expect(reduce(shown, { type: 'select', selected: '@carol:x' }).spoiler).toBeNull();
    for (const fields of [{ spoiler: false }, { playlistUrl: null }, { state: 'failed' as const }, { visibility: 'held' as const }]) {
      expect(spoilerOf(after(shown, room([member('@carol:x', [{ ...hidden, ...fields }])])))).toBeNull();
    }
    expect(spoilerOf(after(shown, room([member('@carol:x')])))).toBeNull();
    expect(spoilerOf(after(shown, room([carol, ALICE])))?.shown).toBe(true);
  });

  it('alone leaves the stage empty until it is picked', () => {
    const alone = after(AS_BOB, room([member('@carol:x', [hidden], { reelUrl: null })]));
    expect(emptinessOf(alone)).toBe('spoilers');
    expect(emptinessOf(ask(alone, 's1'))).toBeNull();
    expect(emptinessOf(after(AS_BOB, room([member('@carol:x', [hidden, video('c2', 'queued')], { reelUrl: null })])))).toBe('waiting');
  });

  it('has a key that is nobody', () => {
    expect(spoilerKey('s1')).not.toMatch(/^[@*+]/);
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

describe('error', () => {
  const watching = after(AS_BOB, room([ALICE]));

  it('of the connection leaves what is on the screen', () => {
    const offline = reduce(watching, { type: 'error', error: 'offline' });
    expect([offline.room, offline.stale, offline.error]).toEqual([watching.room, true, null]);
    expect(reduce(offline, { type: 'live', live: true }).stale).toBe(false);
  });

  it('of the membership takes it away', () => {
    expect(reduce(watching, { type: 'error', error: 'not-member' })).toMatchObject({ room: null, error: 'not-member' });
  });

  it('ends with the room, except where the browser cannot play', () => {
    const first = reduce(INITIAL, { type: 'error', error: 'offline' });
    expect(after(first, room([ALICE])).error).toBeNull();
    expect(after(reduce(INITIAL, { type: 'error', error: 'unsupported' }), room([ALICE])).error).toBe('unsupported');
  });
});

describe('inOrder', () => {
  it('puts what plays in playing order and the rest after it', () => {
    const entries = ['wait', 'b', 'a', 'late'].map((id) => ({ video: video(id), owner: ALICE }));
    expect(inOrder(entries, ['a', 'b']).map((entry) => entry.video.id)).toEqual(['a', 'b', 'wait', 'late']);
  });
});
