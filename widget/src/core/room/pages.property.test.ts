import { describe, expect, it } from 'vitest';
import { Composer } from './compose';
import { begun, isComplete, withDelta, withMembers, withOverview, withPage, withVideos, type Pages } from './pages';
import { compare, EVERYBODY, holds, keyIn, type Key } from './windows';
import { decodeDelta, decodeMembers, decodeMine, decodeOverview, decodePage, listedVideo, type Delta } from './wire';

/** How many videos, and members, a page holds here. */
const PAGE = 4;
const VIEWER = '@m0:x';

type Row = Record<string, unknown> & { id: string; sender: string; position: number; created_at: number };

/** Equal seeds give equal numbers from 0 to 1 (mulberry32). */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** A room as the server has it: every change of it has a number, and leaves a delta. */
class FakeServer {
  revision = 1;
  rows = new Map<string, Row>();
  members: string[] = ['@m0:x', '@m1:x'];
  readonly deltas: Delta[] = [];
  #ids = 0;

  constructor(private readonly random: (below: number) => number) {
    for (let count = random(30); count > 0; count -= 1) this.#add();
  }

  /** Something happens. */
  change(): void {
    this.revision += 1;
    const acts = [() => this.#come(), () => this.#come(), () => this.#go(), () => this.#rename(), () => this.#order(), () => this.#join(), () => this.#leave()];
    const parts = acts[this.random(acts.length)]?.() ?? {};
    this.deltas.push(decodeDelta({ revision: this.revision, ...parts, room: { members_total: this.members.length, ...this.#counts() } }));
  }

  #counts(): object {
    return { count: this.rows.size, playable: this.rows.size };
  }

  #add(): Row {
    this.#ids += 1;
    const row: Row = { id: `v${this.#ids}`, event_id: `$v${this.#ids}`, state: 'ready', visibility: 'shown', sender: this.#one(this.members), item: 0, position: this.random(50), created_at: this.random(50), can: [], sender_can: [] };
    this.rows.set(row.id, row);
    return row;
  }

  #one<T>(of: readonly T[]): T {
    return of[this.random(of.length)] as T;
  }

  #come(): object {
    const row = this.#add();
    return { videos: [row], members: [this.head(row.sender)] };
  }

  #go(): object {
    const row = this.#one([...this.rows.values()]) as Row | undefined;
    if (row === undefined) return {};
    this.rows.delete(row.id);
    return { gone: [row.id], members: [this.head(row.sender)] };
  }

  #rename(): object {
    const row = this.#one([...this.rows.values()]) as Row | undefined;
    if (row === undefined) return {};
    this.rows.set(row.id, { ...row, title: `Title ${this.revision}` });
    // Half of the time it says all, as for what is much changed.
    return { videos: [this.random(2) === 0 ? { id: row.id, title: `Title ${this.revision}` } : this.rows.get(row.id)] };
  }

  #order(): object {
    const row = this.#one([...this.rows.values()]) as Row | undefined;
    if (row === undefined) return {};
    this.rows.set(row.id, { ...row, position: this.random(50) });
    return { videos: [{ id: row.id, position: this.rows.get(row.id)?.position }], members: [this.head(row.sender)] };
  }

  #join(): object {
    const userId = `@m${this.revision + 10}:x`;
    this.members.push(userId);
    return { members: [this.head(userId)] };
  }

  #leave(): object {
    const userId = this.#one(this.members.slice(2)) as string | undefined;
    if (userId === undefined) return {};
    this.members = this.members.filter((each) => each !== userId);
    for (const row of [...this.rows.values()]) if (row.sender === userId) this.rows.delete(row.id);
    return { left: [userId] };
  }

  head(userId: string): object {
    const count = [...this.rows.values()].filter(({ sender }) => sender === userId).length;
    return { user_id: userId, count, playable: count, can: [], sender_can: [] };
  }

  list(of: string): { row: Row; key: Key }[] {
    const rows = [...this.rows.values()].filter(({ sender }) => of === EVERYBODY || sender === of);
    return rows.map((row) => ({ row, key: keyIn(of, listedVideo(row, 'row')) })).sort((a, b) => compare(a.key, b.key));
  }

  page(of: string, size: number, find: (keys: readonly Key[]) => number): Record<string, unknown> {
    const all = this.list(of);
    const start = Math.max(0, Math.min(find(all.map(({ key }) => key)), Math.max(0, all.length - 1)));
    const rows = all.slice(start, start + size);
    const cursor = (index: number): string => JSON.stringify(all[index]?.key);
    return { of, revision: this.revision, total: all.length, start, videos: rows.map(({ row }) => row), before: start > 0 ? cursor(start) : null, after: start + rows.length < all.length ? cursor(start + rows.length - 1) : null };
  }

  beside(of: string, cursor: string, side: 'before' | 'after'): Record<string, unknown> {
    const key = JSON.parse(cursor) as Key;
    const all = this.list(of);
    const end = side === 'after' ? all.length : all.filter((each) => compare(each.key, key) < 0).length;
    const from = side === 'after' ? all.filter((each) => compare(each.key, key) <= 0).length : Math.max(0, end - PAGE);
    const rows = all.slice(from, Math.min(end, from + PAGE));
    const to = from + rows.length;
    return { of, revision: this.revision, total: all.length, start: from, videos: rows.map(({ row }) => row), before: from > 0 && from < all.length ? JSON.stringify(all[from]?.key) : null, after: to > 0 && to < all.length && rows.length > 0 ? JSON.stringify(all[to - 1]?.key) : null };
  }

  overview(size: number): Record<string, unknown> {
    const members = this.members.slice(0, size);
    const page = this.rows.size <= size ? this.page(EVERYBODY, Infinity, () => 0) : this.page(EVERYBODY, PAGE, (keys) => this.random(keys.length + 1));
    return { room_id: '!r', revision: this.revision, members: members.map((each) => this.head(each)), members_next: members.length < this.members.length ? members.at(-1) : null, members_total: this.members.length, review: 0, page, ...this.#counts() };
  }

  membersAfter(userId: string): Record<string, unknown> {
    const start = this.members.indexOf(userId) + 1;
    const page = this.members.slice(start, start + PAGE);
    return { revision: this.revision, members: page.map((each) => this.head(each)), members_next: start + page.length < this.members.length ? page.at(-1) : null };
  }
}

const MINE = decodeMine({ media: '/media/9.s/r.m/', grant_expires_at: 5, now: 1, schedule: null, watching: [], can: [], own: [], hidden_by_viewer: [] });

/** What is on its way: it arrives later than it was made. */
type OnItsWay = (pages: Pages) => Pages;

function request(server: FakeServer, pages: Pages, random: (below: number) => number): OnItsWay {
  const of = random(2) === 0 ? EVERYBODY : [...pages.heads.keys()][random(pages.heads.size)] ?? EVERYBODY;
  const window = pages.windows.get(of);
  const kind = random(6);
  const side = kind === 0 ? 'before' : 'after';
  const edge = side === 'before' ? window?.from : window?.to;
  if (kind < 3 && edge) {
    const page = decodePage(server.beside(of, edge.cursor, side));
    // A page beside one end is merged before the next one is requested.
    return (now) => (now.windows.get(of) === window || (side === 'before' ? now.windows.get(of)?.from : now.windows.get(of)?.to)?.cursor === edge.cursor ? withPage(now, page, side) : withVideos(now, page));
  }
  if (kind === 3) {
    const overview = decodeOverview(server.overview(random(2) === 0 ? 3 : 1_000));
    return (now) => withOverview(now, overview);
  }
  if (kind === 4 && pages.moreMembers !== null) {
    const { moreMembers } = pages;
    const members = decodeMembers(server.membersAfter(moreMembers));
    return (now) => (now.moreMembers === moreMembers ? withMembers(now, members) : now);
  }
  const page = decodePage(server.page(of, PAGE, (keys) => Math.floor(random(keys.length + 1) / PAGE) * PAGE));
  return (now) => withPage(now, page);
}

/** A list of which something may be missing is fetched anew. */
function mended(pages: Pages, server: FakeServer): Pages {
  return [...pages.holes].reduce((now, of) => withPage(now, decodePage(server.page(of, PAGE, () => 0)), 'instead'), pages);
}

/** Every window holds what the server's list has there, and knows how much is before it. */
function checkWindows(pages: Pages, server: FakeServer): void {
  for (const [of, window] of pages.windows) {
    if (of !== EVERYBODY && !server.members.includes(of)) continue;
    const known = [...pages.videos.values()].filter((video) => (of === EVERYBODY || video.sender === of) && holds(window, keyIn(of, video))).map((video) => ({ id: video.id, key: keyIn(of, video) })).sort((a, b) => compare(a.key, b.key));
    const there = server.list(of).filter(({ key }) => holds(window, key));
    expect(known.map(({ id }) => id), of).toEqual(there.map(({ row }) => row.id));
  }
}

/** All that the page shows of it; short, for a failure is to be read. */
function summaryOf(pages: Pages): string {
  const { members, ...about } = new Composer().compose(pages);
  const texts = members.map(({ videos, ...member }) => `${JSON.stringify(member)}: ${videos.map(({ id, title, createdAt }) => `${id} ${title} ${createdAt}`).join(', ')}`);
  return [JSON.stringify({ ...about, large: null }), ...texts].join('\n');
}

describe('pages and deltas, in whatever order they arrive', () => {
  it.each(Array.from({ length: 300 }, (_, seed) => seed))('are the same as all of it fetched anew (seed %i)', (seed) => {
    const random = randomOf(seed);
    const server = new FakeServer(random);
    let pages = begun(decodeOverview(server.overview(random(2) === 0 ? 3 : 1_000)), MINE, VIEWER);
    let delivered = 0;
    let waiting: OnItsWay[] = [];
    for (let step = 0; step < 60; step += 1) {
      const what = random(5);
      if (what < 2) server.change();
      else if (what === 2) waiting.push(request(server, pages, random));
      else if (what === 3 && waiting.length > 0) {
        const index = random(waiting.length);
        pages = waiting[index]?.(pages) ?? pages;
        waiting = waiting.filter((_, at) => at !== index);
      } else {
        const delta = server.deltas[delivered];
        if (delta === undefined) continue;
        delivered += 1;
        pages = withDelta(pages, delta);
        // Some come twice.
        if (random(4) === 0) expect(withDelta(pages, delta)).toBe(pages);
      }
    }
    for (const arrive of waiting) pages = arrive(pages);
    for (const delta of server.deltas.slice(delivered)) pages = withDelta(pages, delta);
    pages = mended(pages, server);
    checkWindows(pages, server);
    const { large } = new Composer().compose(pages);
    if (large !== null) expect(large.more).toBe(server.rows.size - pages.videos.size);
    // The rest is loaded.
    while (pages.moreMembers !== null) pages = withMembers(pages, decodeMembers(server.membersAfter(pages.moreMembers)));
    for (let window = pages.windows.get(EVERYBODY); window?.to; window = pages.windows.get(EVERYBODY)) pages = withPage(pages, decodePage(server.beside(EVERYBODY, window.to.cursor, 'after')), 'after');
    for (let window = pages.windows.get(EVERYBODY); window?.from; window = pages.windows.get(EVERYBODY)) pages = withPage(pages, decodePage(server.beside(EVERYBODY, window.from.cursor, 'before')), 'before');
    expect(isComplete(pages)).toBe(true);
    const fresh = begun(decodeOverview(server.overview(1_000)), MINE, VIEWER);
    expect(summaryOf(pages)).toBe(summaryOf(fresh));
  });
});
