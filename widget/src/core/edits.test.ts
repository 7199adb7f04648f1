import { describe, expect, it } from 'vitest';
import { rebase, confirmed, inPhase, withEdits, replaced, withEdit, without, type Edit, type Edits } from './edits';
import type { Room, Video } from './model';
import { aMember, aRoom, aVideo } from './samples';

const MANAGED = new Set(['rename', 'hide', 'delete', 'avatar', 'publish'] as const);
const video = (id: string, fields: Partial<Video> = {}): Video => aVideo(id, 'ready', { can: MANAGED, previewUrl: `/${id}.mp4`, ...fields });
const roomOf = (...videos: readonly Video[]): Room => aRoom([aMember('@alice:x', videos), aMember('@bob:x', [video('b1')])]);
const A1 = video('a1');
const ROOM = roomOf(A1, video('a2'), video('a3'));
const rename = (title: string, seen = A1): Edit => ({ type: 'change', seen, fields: { title } });
const order = (base: string, wanted: string): Edit => ({ type: 'order', owner: '@alice:x', base: base.split(' '), wanted: wanted.split(' ') });
const edits = (...all: readonly Edit[]): Edits => all.reduce<Edits>((list, edit, id) => withEdit(list, id, edit), []);
const ids = (room: Room): string | undefined => room.members[0]?.videos.map(({ id }) => id).join(' ');
const first = (room: Room): Video | undefined => room.members[0]?.videos[0];

describe('edits over the room', () => {
  it.each(['reject', 'block'] as const)('take away what a moderator does %s', (type) => {
    const after = withEdits(ROOM, edits({ type, seen: A1, reason: 'dark' }));
    expect(ids(after)).toBe('a2 a3');
    expect(rebase({ type, seen: A1, reason: 'dark' }, after)).toEqual({ outcome: 'done' });
  });

  it('tell why it does not show', () => {
    const held = video('a1', { visibility: 'held', heldFor: 'approval', can: new Set(['show', 'reject']) });
    const shown = first(withEdits(roomOf(held), edits({ type: 'change', seen: held, fields: { visibility: 'shown' } })));
    expect(shown).toMatchObject({ visibility: 'shown', heldFor: null, hiddenBy: null });
    expect([...(shown?.can ?? [])]).toEqual(['hide']);
    expect(first(withEdits(ROOM, edits({ type: 'change', seen: A1, fields: { visibility: 'hidden' } })))?.hiddenBy).toBe('viewer');
    expect(first(withEdits(roomOf(held), edits({ type: 'change', seen: held, fields: { title: 'Lake' } })))?.heldFor).toBe('approval');
  });

  it('show no other media than the moderator saw', () => {
    const at = (grant: string, stage: string): Video => video('a1', { visibility: 'held', heldFor: 'approval', version: 2, playlistUrl: `/media/${grant}/1.1/v/a1/${stage}/index.m3u8` });
    const approve: Edit = { type: 'change', seen: at('1.a', '1-ready'), fields: { visibility: 'shown' } };
    expect(rebase(approve, roomOf(at('2.b', '1-ready'))).outcome).toBe('retry');
    expect(rebase(approve, roomOf(at('2.b', '2-ready'))).outcome).toBe('conflict');
    expect(rebase(approve, roomOf({ ...at('2.b', '1-ready'), playlistUrl: null })).outcome).toBe('conflict');
  });

  it('change what the server told, and nothing else', () => {
    const after = withEdits(ROOM, edits(rename('Lake'), { type: 'change', seen: A1, fields: { visibility: 'hidden' } }));
    expect(first(after)).toMatchObject({ title: 'Lake', visibility: 'hidden' });
    expect([...(first(after)?.can ?? [])]).toEqual(expect.arrayContaining(['show', 'rename']));
    expect(first(after)?.can.has('hide')).toBe(false);
    expect(after.members[1]).toBe(ROOM.members[1]);
    expect(withEdits(ROOM, [])).toBe(ROOM);
  });

  it('put on one video avatar at a time', () => {
    const worn = roomOf(A1, video('a2', { isVideoAvatar: true }));
    const after = withEdits(worn, edits({ type: 'change', seen: A1, fields: { isVideoAvatar: true } }));
    expect(after.members[0]?.videos.map(({ isVideoAvatar }) => isVideoAvatar)).toEqual([true, false]);
    expect(after.members[0]?.videoAvatarUrl).toBe('/a1.mp4');
    expect(withEdits(after, edits({ type: 'change', seen: A1, fields: { isVideoAvatar: false } })).members[0]?.videoAvatarUrl).toBeNull();
  });

  it('wear no spoiler', () => {
    const spoiler = aVideo('s1', 'ready', { spoiler: true, previewUrl: '/s1.mp4' });
    const after = withEdits(aRoom([aMember('@a:x', [spoiler])]), edits({ type: 'change', seen: spoiler, fields: { isVideoAvatar: true } }));
    expect(after.members[0]?.videoAvatarUrl).toBeNull();
  });

  it('take away, bring back to the same place, and order', () => {
    expect(ids(withEdits(ROOM, edits({ type: 'delete', seen: A1 })))).toBe('a2 a3');
    const restore: Edit = { type: 'restore', seen: A1, owner: '@alice:x', index: 0 };
    expect(ids(withEdits(roomOf(video('a2'), video('a3')), edits(restore)))).toBe('a1 a2 a3');
    expect(ids(withEdits(ROOM, edits(restore)))).toBe('a1 a2 a3');
    expect(ids(withEdits(ROOM, edits(order('a1 a2 a3', 'a3 a1 a2'))))).toBe('a3 a1 a2');
  });

  it('are laid over again when another change arrives, also where their video is gone', () => {
    const pending = edits(rename('Lake'), order('a1 a2 a3', 'a2 a3 a1'));
    expect(ids(withEdits(roomOf(A1, video('new'), video('a2'), video('a3')), pending))).toBe('new a2 a3 a1');
    expect(ids(withEdits(roomOf(video('a2'), video('a3')), pending))).toBe('a2 a3');
  });

  it('say nothing of reports but to those who know of them', () => {
    const reported = roomOf(video('a1', { reports: 2 }));
    expect(first(withEdits(reported, edits({ type: 'dismiss', seen: A1 })))?.reports).toBe(0);
    expect(first(withEdits(ROOM, edits({ type: 'dismiss', seen: A1 })))?.reports).toBeNull();
    expect(withEdits(ROOM, edits({ type: 'report', seen: A1, reason: 'x' }))).toBe(ROOM);
  });
});

describe('the list of edits', () => {
  it('keeps one order of those that were not sent yet', () => {
    const twice = edits(order('a1 a2 a3', 'a2 a1 a3'), order('a2 a1 a3', 'a2 a3 a1'));
    expect(twice.map(({ edit }) => edit)).toEqual([order('a1 a2 a3', 'a2 a3 a1')]);
    const sent = withEdit(inPhase(edits(order('a1 a2', 'a2 a1')), 0, 'sending'), 1, order('a2 a1', 'a1 a2'));
    expect(sent).toHaveLength(2);
  });

  it('bases what waits on what was confirmed, and forgets it in the end', () => {
    const newer = video('a1', { version: 2, title: 'Lake' });
    const pending = confirmed(edits(rename('Lake'), rename('Sea'), rename('B', video('b1'))), 0, newer);
    expect(pending.map(({ phase }) => phase)).toEqual(['done', 'waiting', 'waiting']);
    expect(pending.map(({ edit }) => (edit.type === 'change' ? edit.seen.version : null))).toEqual([1, 2, 1]);
    expect(without(pending, 0).map(({ id }) => id)).toEqual([1, 2]);
    expect(replaced(pending, 1, rename('Sea', newer))[1]).toMatchObject({ phase: 'waiting', again: true });
  });
});

describe('after a conflict', () => {
  const now = (fields: Partial<Video>): Room => roomOf(video('a1', { version: 5, ...fields }));

  it('an edit goes on where what it changes is as it was', () => {
    const hidden = now({ visibility: 'hidden' });
    expect(rebase(rename('Lake'), hidden)).toEqual({ outcome: 'retry', edit: rename('Lake', first(hidden)) });
    expect(rebase({ type: 'delete', seen: A1 }, hidden)).toMatchObject({ outcome: 'retry' });
  });

  it('nobody overwrites what somebody else did', () => {
    expect(rebase(rename('Lake'), now({ title: 'Sea' }))).toEqual({ outcome: 'conflict' });
    expect(rebase(rename('Lake'), now({ title: 'Lake' }))).toEqual({ outcome: 'done' });
    expect(rebase(rename('Lake'), roomOf())).toEqual({ outcome: 'gone' });
    expect(rebase({ type: 'delete', seen: A1 }, roomOf())).toEqual({ outcome: 'done' });
  });

  it('orders are merged', () => {
    const theirs = roomOf(video('a3'), A1, video('a2'));
    expect(rebase(order('a1 a2 a3', 'a2 a1 a3'), theirs)).toMatchObject({ outcome: 'retry', edit: { base: ['a3', 'a1', 'a2'], wanted: ['a2', 'a3', 'a1'] } });
    expect(rebase(order('a1 a2 a3', 'a3 a1 a2'), theirs)).toEqual({ outcome: 'done' });
    expect(rebase(order('a1', 'a1'), aRoom([]))).toEqual({ outcome: 'gone' });
  });
});
