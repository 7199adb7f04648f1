import { describe, expect, it } from 'vitest';
import { DecodeError, decodeProgress, decodeRoom, decodeSession, encodeBookmark } from './decode';
import { aMember, aRoom, aVideo } from './samples';

const VIDEO = {
  id: 'v1', event_id: '$e', title: 'Lake', state: 'ready', visibility: 'shown', duration: 4.5, width: 320, height: 180,
  poster_url: '/media/1.s/r/v/v1/poster.jpg', playlist_url: null, created_at: 7, failure: null,
};
const MEMBER = { user_id: '@a:x', display_name: null, avatar_url: null, video_avatar: null, reel_url: '/media/1.s/r/reel/k/1/index.m3u8', videos: [VIDEO] };
const ROOM = { room_id: '!r', name: null, channel: null, grant_expires_at: 9, members: [MEMBER] };

function withVideo(fields: Record<string, unknown>): unknown {
  return { ...ROOM, members: [{ ...MEMBER, videos: [{ ...VIDEO, ...fields }] }] };
}

describe('decodeRoom', () => {
  it('takes what the server sends and ignores what it does not know', () => {
    const posterUrl = VIDEO.poster_url;
    const videos = [aVideo('v1', 'ready', { eventId: '$e', title: 'Lake', duration: 4.5, aspect: 16 / 9, posterUrl, createdAt: 7, version: 0 })];
    expect(decodeRoom({ ...ROOM, later: 1 })).toEqual(aRoom([aMember('@a:x', videos, { reelUrl: MEMBER.reel_url })], { grantExpiresAt: 9 }));
  });

  it('reads what may be managed, the schedule and who watches', () => {
    const room = decodeRoom({
      ...(withVideo({ can: ['rename', 'fly'], version: 3, published: true, reports: 2, captions: [{ language: 'zh', label: '中文', url: '/c.vtt' }] }) as object),
      schedule: { starts_at: 5, items: [{ id: 'v1', duration: 4.5 }], before: { id: 'v0', duration: 2 } },
      watching: ['@a:x'], direct: true, together: { members: ['@a:x', '@b:x'], reel_url: null },
    });
    expect(room.members[0]?.videos[0]).toMatchObject({
      kind: 'video', heldFor: null, hiddenBy: null, can: new Set(['rename']), version: 3, published: true, reports: 2, captions: [{ language: 'zh', label: '中文', url: '/c.vtt' }],
    });
    expect(room).toMatchObject({
      schedule: { startsAt: 5, items: [{ id: 'v1', duration: 4.5 }], before: { id: 'v0', duration: 2 } },
      watching: ['@a:x'], direct: true, together: { members: ['@a:x', '@b:x'], reelUrl: null },
    });
  });

  it('knows what the bot does for the viewer from a server that does not say', () => {
    expect([decodeRoom(ROOM).can, decodeRoom({ ...ROOM, can: [] }).can, decodeRoom({ ...ROOM, can: ['react', 'fly', 'send'] }).can]).toEqual([null, new Set(), new Set(['react', 'send'])]);
  });

  it('reads who agreed that videos of an encrypted room are kept', () => {
    const read = (encryption: unknown) => decodeRoom({ ...ROOM, encryption }).encryption;
    const agreed = { opted_in_by: '@a:x', opted_in_by_name: 'Ann', opted_in_at: 7, available: true, may_opt_in: false };
    expect(read(agreed)).toEqual({ optedInBy: '@a:x', optedInByName: 'Ann', optedInAt: 7, available: true, mayOptIn: false });
    expect(read({ opted_in_by: null, opted_in_by_name: null, opted_in_at: null })).toEqual({ optedInBy: null, optedInByName: null, optedInAt: null, available: false, mayOptIn: false });
    // Of a plain room, and of a server of an earlier release.
    expect([read(null), decodeRoom(ROOM).encryption]).toEqual([null, null]);
    expect(() => read({ ...agreed, opted_in_at: 'yesterday' })).toThrow(DecodeError);
    expect(() => read(true)).toThrow(DecodeError);
  });

  it('takes nothing but a link to a room for where a room went', () => {
    expect(decodeRoom({ ...ROOM, replaced_by: 'https://matrix.to/#/!new?via=x' }).replacedBy).toBe('https://matrix.to/#/!new?via=x');
    expect(() => decodeRoom({ ...ROOM, replaced_by: 'javascript:alert(1)' })).toThrow(DecodeError);
  });

  it('reads what was sent, and who decides on what is held', () => {
    const read = (fields: Record<string, unknown>) => decodeRoom(withVideo(fields)).members[0]?.videos[0];
    expect(read({ kind: 'voice', visibility: 'held', held_for: 'verdict' })).toMatchObject({ kind: 'voice', heldFor: 'verdict' });
    expect(read({ state: 'queued', waits_for: 'upload' })).toMatchObject({ heldFor: null, awaitsUpload: true });
    // Of a release that knows more, or less.
    expect(read({ kind: 'smell', visibility: 'held', held_for: 'oracle' })).toMatchObject({ kind: 'video', heldFor: null });
  });

  it('reads what is a spoiler, and says nothing of it for a server of an earlier release', () => {
    const read = (fields: Record<string, unknown>) => decodeRoom(withVideo(fields)).members[0]?.videos[0];
    const playlist = '/media/1.s/r/v/v1/2-ready/index.m3u8';
    expect(read({ spoiler: true, spoiler_reason: 'blood', playlist_url: playlist })).toMatchObject({ spoiler: true, spoilerReason: 'blood', playlistUrl: playlist });
    expect(read({})).toMatchObject({ spoiler: false, spoilerReason: null, playlistUrl: null });
    expect(() => read({ playlist_url: 'https://elsewhere.example/x' })).toThrow(DecodeError);
  });

  it('reads where the viewer was, and writes it the same way', () => {
    const place = { selection: '@a:x', video: 'v1', position: 2.5, volume: 0.5, muted: true, speed: 1.5, loop: 'one', captions: 'zh', keys: false, announce: false };
    const bookmark = decodeRoom({ ...ROOM, place }).bookmark;
    expect(bookmark).toMatchObject({ selection: '@a:x', videoId: 'v1', position: 2.5, loop: 'one', captions: 'zh', keys: false, announce: false });
    expect(bookmark && encodeBookmark(bookmark)).toEqual(place);
    expect(() => decodeRoom({ ...ROOM, place: { ...place, loop: 'none' } })).toThrow(DecodeError);
    expect(decodeRoom({ ...ROOM, place: { ...place, speed: 99, volume: -1 } }).bookmark).toMatchObject({ speed: 2, volume: 0 });
  });

  it('reads the reason of a failure', () => {
    const room = decodeRoom(withVideo({ state: 'failed', failure: { code: 'not-a-video' } }));
    expect(room.members[0]?.videos[0]?.failure).toBe('not-a-video');
  });

  it('reads how far the work is, and what stands in for the poster', () => {
    const hash = 'LEHV6nWB2yk8pyo0adR*.7kCMdnj';
    const seen = (fields: Record<string, unknown>): unknown => decodeRoom(withVideo(fields)).members[0]?.videos[0];
    expect(seen({ state: 'processing', blurhash: hash, progress: { percent: 42, remaining: 20 } })).toMatchObject({ blurhash: hash, progress: { percent: 42, remaining: 20 } });
    expect(seen({ state: 'processing', progress: { percent: 0, remaining: null } })).toMatchObject({ progress: { percent: 0, remaining: null } });
  });

  it.each([
    ['a progress without a share', withVideo({ progress: { remaining: 3 } })],
    ['a list instead of a room', []],
    ['no members', { ...ROOM, members: null }],
    ['an unknown state', withVideo({ state: 'melted' })],
    ['a duration that is no number', withVideo({ duration: 'long' })],
    ['a poster on another server', withVideo({ poster_url: 'https://evil.test/x.jpg' })],
    ['a poster with a script', withVideo({ poster_url: 'javascript:alert(1)' })],
    ['a protocol-relative poster', withVideo({ poster_url: '//evil.test/x.jpg' })],
    ['a protocol-relative poster in disguise', withVideo({ poster_url: '/\\evil.test/x.jpg' })],
    ['an empty id', withVideo({ id: '' })],
  ])('refuses %s', (_, value) => {
    expect(() => decodeRoom(value)).toThrow(DecodeError);
  });

  it('says where it went wrong', () => {
    expect(() => decodeRoom(withVideo({ state: 'melted' }))).toThrow(/room\.members\[0\]\.videos\[0\]\.state/);
  });
});

describe('decodeProgress', () => {
  it('takes the video and its progress, within bounds', () => {
    expect(decodeProgress({ room_id: '!r', video_id: 'v1', percent: 101, remaining: -0.5 })).toEqual({ videoId: 'v1', progress: { percent: 100, remaining: 0 } });
  });

  it('refuses a progress of no video', () => {
    expect(() => decodeProgress({ percent: 1, remaining: null })).toThrow(DecodeError);
  });
});

describe('decodeSession', () => {
  it('takes token, user and room', () => {
    expect(decodeSession({ token: 't', user_id: '@a:x', room_id: '!r', expires_at: 1, can: [] })).toEqual({ token: 't', userId: '@a:x', roomId: '!r', ends: 1 });
  });

  it('refuses a session without a token', () => {
    expect(() => decodeSession({ user_id: '@a:x', room_id: '!r' })).toThrow(DecodeError);
  });
});
