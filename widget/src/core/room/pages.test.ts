import { describe, expect, it } from 'vitest';
import { Composer } from './compose';
import { begun, isComplete, listed, takesOwn, withDelta, withMembers, withMine, withOverview, withoutWindow, withPage, withProgress, type Pages } from './pages';
import { missingPart, queryOf } from './parts';
import { decodeDelta, decodeMembers, decodeMine, decodeOverview, decodePage } from './wire';

const MEDIA = '/media/9.s/r.m/';

/** A video as the server lists it. */
function v(id: string, fields: Record<string, unknown> = {}): Record<string, unknown> {
  return { id, event_id: `$${id}`, state: 'ready', visibility: 'shown', created_at: 0, sender: '@a:x', item: 0, position: 0, can: ['report'], sender_can: ['rename', 'delete'], poster_url: `v/${id}/poster.jpg`, captions: [{ label: 'English', url: `v/${id}/en.vtt` }], ...fields };
}

const h = (userId: string, count: number, playable = count): Record<string, unknown> => ({ user_id: userId, count, playable, can: [], sender_can: ['order'], reel_url: `reel/1/${count}/index.m3u8` });

const mine = (fields: Record<string, unknown> = {}): ReturnType<typeof decodeMine> => decodeMine({ media: MEDIA, grant_expires_at: 5, now: 1, schedule: null, watching: [], can: [], own: [], hidden_by_viewer: [], ...fields });

function overview(fields: Record<string, unknown> = {}): ReturnType<typeof decodeOverview> {
  const page = { of: '*', total: 2, start: 0, before: null, after: null, videos: [v('1', { position: 1 }), v('2', { position: 2, created_at: 2 })] };
  return decodeOverview({ room_id: '!r', revision: 7, name: 'Room', bot: '@bot:x', channel: 'reel/all/1/index.m3u8', members: [h('@a:x', 2)], members_next: null, members_total: 1, review: 0, page, ...fields });
}

const small = begun(overview(), mine(), '@a:x');
const delta = (revision: number, fields: Record<string, unknown>): ReturnType<typeof decodeDelta> => decodeDelta({ revision, ...fields });
const compose = (pages: Pages): ReturnType<Composer['compose']> => new Composer().compose(pages);
const ids = (pages: Pages, member = 0): string | undefined => compose(pages).members[member]?.videos.map(({ id }) => id).join(' ');

describe('a small room', () => {
  it('is whole, with whole addresses and the viewer\'s own rights', () => {
    const room = compose(small);
    const [video] = room.members[0]?.videos ?? [];
    expect([isComplete(small), room.large, room.channelUrl]).toEqual([true, null, `${MEDIA}reel/all/1/index.m3u8`]);
    expect([video?.posterUrl, video?.captions[0]?.url, [...video?.can ?? []]]).toEqual([`${MEDIA}v/1/poster.jpg`, `${MEDIA}v/1/en.vtt`, ['rename', 'delete']]);
    expect(room.members[0]).toMatchObject({ canOrder: true, reelUrl: `${MEDIA}reel/1/2/index.m3u8`, more: 0 });
    expect([...compose(begun(overview(), mine(), '@b:x')).members[0]?.videos[0]?.can ?? []]).toEqual(['report']);
  });

  it('has the same objects for what has not changed, and new addresses under a new grant', () => {
    const composer = new Composer();
    const before = composer.compose(small);
    const renamed = withDelta(small, delta(8, { videos: [{ id: '2', title: 'New', version: 2 }] }));
    const after = composer.compose(renamed);
    expect(after.members[0]?.videos[0]).toBe(before.members[0]?.videos[0]);
    expect(after.members[0]?.videos[1]).toMatchObject({ title: 'New', version: 2 });
    const granted = composer.compose(withMine(renamed, mine({ media: '/media/10.t/r.m/' })));
    expect(granted.members[0]?.videos[0]?.posterUrl).toBe('/media/10.t/r.m/v/1/poster.jpg');
  });

  it('changes by deltas, each of which counts once', () => {
    const came = withDelta(small, delta(9, { members: [h('@a:x', 3)], videos: [v('3', { position: 0 }), { id: 'unknown', title: 'x' }], room: { name: 'Other' } }));
    expect([ids(came), compose(came).name, came.revision]).toEqual(['3 1 2', 'Other', 9]);
    expect(withDelta(came, delta(9, { gone: ['1'] }))).toBe(came);
    expect(withDelta(came, delta(8, { gone: ['1'] }))).toBe(came);
    const moved = withDelta(came, delta(10, { videos: [{ id: '3', position: 9 }], members: [h('@b:x', 0)], schedule: { starts_at: 5, items: [], before: null, until: 9 } }));
    expect([ids(moved), compose(moved).members.map(({ userId }) => userId), compose(moved).schedule]).toEqual(['1 2 3', ['@a:x', '@b:x'], { startsAt: 5, items: [], before: null, until: 9 }]);
    const left = withDelta(moved, delta(11, { left: ['@a:x'] }));
    expect([left.videos.size, [...left.heads.keys()], [...left.gone].sort()]).toEqual([0, ['@b:x'], ['1', '2', '3']]);
  });

  it('is what a later overview says, and older deltas change nothing of it', () => {
    const later = withOverview(small, overview({ revision: 12, name: 'Later' }));
    expect(withDelta(later, delta(11, { room: { name: 'Older' } }))).toBe(later);
    const ahead = withOverview(withDelta(small, delta(20, { gone: ['1'] })), overview({ revision: 12 }));
    expect([ids(ahead), ahead.revision]).toEqual(['2', 20]);
  });

  it('has the viewer\'s own videos over it', () => {
    const own = withMine(withDelta(small, delta(8, { gone: ['1'], members: [h('@a:x', 1)] })), mine({ own: [v('1', { position: 1, visibility: 'hidden' })] }));
    expect(compose(own).members[0]?.videos.map(({ id, visibility }) => [id, visibility])).toEqual([['1', 'hidden'], ['2', 'shown']]);
    expect([takesOwn(small, delta(8, { gone: ['1'] })), takesOwn(small, delta(8, { gone: ['9'] }))]).toEqual([true, false]);
    const hidden = withMine(small, mine({ hidden_by_viewer: ['2'] }));
    expect(compose(hidden).members[0]?.videos[1]?.hiddenBy).toBe('viewer');
  });

  it('keeps the progress of a video', () => {
    const further = withProgress(small, '1', { percent: 5, remaining: null });
    expect(compose(further).members[0]?.videos[0]?.progress).toEqual({ percent: 5, remaining: null });
    expect(withProgress(small, 'no', { percent: 5, remaining: null })).toBe(small);
  });
});

describe('a large room', () => {
  const at = (n: number): Record<string, unknown> => v(`${n}`, { created_at: n, position: n });
  const page = (from: number, to: number, fields: Record<string, unknown> = {}): ReturnType<typeof decodePage> => decodePage({
    of: '*', revision: 7, total: 10, start: from, before: from === 0 ? null : `${from}`, after: to === 9 ? null : `${to}`,
    videos: Array.from({ length: to - from + 1 }, (_, index) => at(from + index)), ...fields,
  });
  const { of, total, start, before, after } = page(4, 5);
  const large = begun(overview({ members: [h('@a:x', 10, 9)], members_next: '@a:x', members_total: 3, review: 4, count: 10, playable: 9, page: { of, total, start, before, after, videos: [at(4), at(5)] } }), mine(), '@v:x');
  const shown = (pages: Pages): string => listed(pages, '*').map(({ id }) => id).join(' ');

  it('says what is not known', () => {
    const room = compose(large);
    expect(room.large).toMatchObject({ more: 8, morePlayable: 7, moreMembers: 2, review: 4 });
    expect(room.large?.windows.get('*')).toEqual({ loaded: true, start: 4, before: true, after: true, outside: new Set() });
    expect(room.members[0]).toMatchObject({ more: 8, morePlayable: 7 });
  });

  it('grows by pages on both sides, and begins anew where there is a gap', () => {
    const grown = withPage(withPage(large, page(6, 7), 'after'), page(2, 3), 'before');
    expect([shown(grown), grown.windows.get('*')?.start]).toEqual(['2 3 4 5 6 7', 2]);
    expect(shown(withPage(grown, page(6, 9)))).toBe('2 3 4 5 6 7 8 9');
    const elsewhere = withPage(large, page(8, 9));
    expect([shown(elsewhere), elsewhere.windows.get('*')?.start]).toEqual(['8 9', 8]);
    expect(compose(elsewhere).large?.windows.get('*')?.outside).toEqual(new Set(['4', '5']));
    expect(isComplete(withMembers(withPage(grown, page(0, 9)), decodeMembers({ revision: 7, members: [], members_next: null })))).toBe(true);
  });

  it('moves along with what comes and goes before it', () => {
    const known = withPage(withPage(large, page(0, 1)), page(4, 5));
    const went = withDelta(known, delta(8, { gone: ['1'], members: [h('@a:x', 9)] }));
    expect(went.windows.get('*')?.start).toBe(3);
    const came = withDelta(went, delta(9, { videos: [v('n', { created_at: 1 })], members: [h('@a:x', 10)] }));
    expect([came.windows.get('*')?.start, shown(came)]).toEqual([4, '4 5']);
    expect(shown(withDelta(came, delta(10, { videos: [v('m', { created_at: 4.5 })], members: [h('@a:x', 11)] })))).toBe('4 m 5');
    // It was there before, and nobody knew it.
    expect(withDelta(large, delta(8, { videos: [v('0', { title: 'x' })] })).windows.get('*')?.start).toBe(4);
  });

  it('brings a page that was on its way up to date', () => {
    const later = withDelta(large, delta(8, { gone: ['7'], videos: [{ id: '6', title: 'Later' }] }));
    const merged = withPage(later, page(6, 7), 'after');
    expect(shown(merged)).toBe('4 5 6');
    expect(merged.videos.get('6')?.json.title).toBe('Later');
    const left = withDelta(large, delta(8, { left: ['@b:x'] }));
    expect([...withMembers(left, decodeMembers({ revision: 7, members: [h('@b:x', 1), h('@c:x', 1)], members_next: null })).heads.keys()]).toEqual(['@a:x', '@c:x']);
  });

  it('has what is to be reviewed by pages of its own', () => {
    const review = withPage(large, page(0, 0, { of: 'review', after: 'next' }));
    expect([review.review, review.videos.has('0'), shown(review)]).toEqual(['next', true, '4 5']);
  });

  it('is requested by what is known of it', () => {
    const all = withPage(large, page(0, 9));
    expect(['first', 'before', 'after', 'begin', 'end'].map((part) => queryOf(large, '*', part as 'first'))).toEqual([null, 'of=*&before=4', 'of=*&after=5', 'of=*&from=0', 'of=*&from=999999999']);
    expect([queryOf(large, '@a:x', 'first'), queryOf(all, '*', 'after'), queryOf(all, '*', { around: 'a b' })]).toEqual(['of=%40a%3Ax', null, 'of=*&around=a%20b']);
    const review = withPage(large, page(0, 0, { of: 'review', after: 'next' }));
    expect([queryOf(large, 'review', 'after'), queryOf(review, 'review', 'after'), queryOf(withPage(large, page(9, 9, { of: 'review' })), 'review', 'after')]).toEqual(['of=review', 'of=review&after=next', null]);
    expect([missingPart(large, '*'), missingPart(withPage(large, page(6, 9), 'after'), '*'), missingPart(all, '*'), missingPart(large, '@a:x'), missingPart(large, 'review')]).toEqual(['after', 'before', null, 'first', 'after']);
  });

  it('has a hole where a video was moved that is not known', () => {
    const members = withPage(large, page(0, 3, { of: '@a:x' }));
    const moved = withDelta(members, delta(8, { videos: [{ id: '9', position: 1.5 }], members: [h('@a:x', 10)] }));
    expect([[...moved.holes], [...withPage(moved, page(0, 3, { of: '@a:x', revision: 8 }), 'instead').holes], withoutWindow(moved, '@a:x').windows.has('@a:x')]).toEqual([['@a:x'], [], false]);
    expect([...withDelta(members, delta(8, { videos: [{ id: '1', position: 1.5 }], members: [h('@a:x', 10)] })).holes]).toEqual([]);
  });

  it('stays what it is when its overview is fetched again', () => {
    const grown = withPage(large, page(6, 7), 'after');
    const again = withOverview(grown, overview({ revision: 9, name: 'Now', members: [h('@a:x', 10, 9)], members_next: '@a:x', page: { of, total, start: 0, before: null, after: '1', videos: [at(0), at(1)] } }));
    expect([shown(again), again.about.name, again.revision, again.videos.has('0')]).toEqual(['4 5 6 7', 'Now', 7, true]);
  });
});
