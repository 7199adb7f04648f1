import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Room } from '../core/model';
import { decodeDelta, type Delta } from '../core/room/wire';
import { ApiError, type JsonResponse } from './http';
import { RoomSource } from './room-source';

const ALICE = '@a:x';
const PAGE = 3;

/** A server whose list of alice's videos is `ids`; what is requested comes when the test says so. */
class Requests {
  together: readonly string[] = [];
  revision = 1;
  ids: string[] = [];
  readonly titles = new Map<string, string>();
  readonly sent: string[] = [];
  #held: (() => void)[] | null = null;

  /** Responses wait from now on, as they are. */
  hold(): void {
    this.#held = [];
  }

  release(): void {
    this.#held?.forEach((go) => go());
    this.#held = null;
  }

  /** Only what waits already still does. */
  keepHeld(): readonly (() => void)[] {
    const held = this.#held ?? [];
    this.#held = null;
    return held;
  }

  async room(): Promise<readonly [JsonResponse, JsonResponse]> {
    const head = { user_id: ALICE, count: this.ids.length, playable: this.ids.length, can: ['order'], sender_can: [] };
    const overview = { room_id: '!r', revision: this.revision, name: 'Room', bot: '@bot:x', channel: null, members: [head], members_next: null, members_total: 1, review: 0, count: this.ids.length, playable: this.ids.length, page: this.#list('*', 0) };
    return [await this.#respond('room', overview), await this.mine()];
  }

  mine(): Promise<JsonResponse> {
    return this.#respond('mine', { revision: this.revision, media: '/media/9.s/r/', grant_expires_at: Date.now() + 600_000, now: Date.now(), schedule: null, watching: [], can: [], own: [], hidden_by_viewer: [], place: null, together: null });
  }

  page(query: string): Promise<JsonResponse> {
    const params = new URLSearchParams(query);
    const [of, after, before, around] = ['of', 'after', 'before', 'around'].map((name) => params.get(name));
    const at = around != null ? Math.floor(this.ids.indexOf(around) / PAGE) * PAGE : after != null ? this.ids.indexOf(after) + 1 : before != null ? this.ids.indexOf(before) - PAGE : 0;
    if (around != null && !this.ids.includes(around)) return Promise.reject(new ApiError(404, 'M_NOT_FOUND'));
    return this.#respond(query, { revision: this.revision, ...this.#list(of ?? '', Math.max(0, at)) });
  }

  members(): Promise<JsonResponse> {
    return Promise.reject(new Error('there is one'));
  }

  userId(): Promise<string> {
    return Promise.resolve('@viewer:x');
  }

  #list(of: string, start: number): object {
    const end = Math.min(this.ids.length, start + PAGE);
    const videos = this.ids.slice(start, end).map((id) => this.video(id));
    return { of, total: this.ids.length, start, videos, before: start > 0 ? this.ids[start] : null, after: end < this.ids.length ? this.ids[end - 1] : null };
  }

  video(id: string): Record<string, unknown> {
    const place = Number(id.slice(1));
    return { id, event_id: `$${id}`, state: 'ready', visibility: 'shown', sender: ALICE, item: 0, position: place, created_at: place, can: [], sender_can: [], title: this.titles.get(id) ?? id };
  }

  async #respond(name: string, json: object): Promise<JsonResponse> {
    this.sent.push(name);
    const held = this.#held;
    if (held !== null) await new Promise<void>((go) => held.push(go));
    return { json, ahead: 0, sent: 0, received: 0 };
  }
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `v${index + 1}`);
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 60; turn += 1) await Promise.resolve();
};

describe('a room that is fetched', () => {
  const stop = new AbortController();
  let requests: Requests;
  let source: RoomSource;
  let room: Room | null;

  beforeEach(async () => {
    vi.useFakeTimers();
    [requests, room] = [new Requests(), null];
    requests.ids = numbered(12);
    source = new RoomSource(requests, { room: (arrived) => (room = arrived), time: () => undefined }, stop.signal);
    await source.refresh();
    source.followed = true;
  });
  afterEach(() => vi.useRealTimers());

  const listed = (): string[] => {
    const outside = room?.large?.windows.get(ALICE)?.outside;
    return (room?.members[0]?.videos ?? []).filter(({ id }) => outside?.has(id) !== true).map(({ title, id }) => title ?? id);
  };
  const merge = async (revision: number, fields: object): Promise<void> => {
    const delta: Delta = decodeDelta({ revision, ...fields });
    requests.revision = revision;
    source.merge(delta);
    await settle();
  };

  it('keeps what a delta said while it began anew', async () => {
    requests.hold();
    const anew = source.restart();
    await settle();
    // Newer than the overview that is on its way, and never sent again.
    await merge(2, { videos: [{ id: 'v1', title: 'Renamed', version: 2 }] });
    requests.release();
    await vi.advanceTimersByTimeAsync(5_000);
    await anew;
    expect([listed()[0], source.revision]).toEqual(['Renamed', 2]);
  });

  it('does not begin anew with what was requested before', async () => {
    requests.hold();
    const before = source.refresh();
    await settle();
    // Rights change: v1 is not seen any more, which no delta says.
    requests.ids = requests.ids.slice(1);
    requests.revision = 2;
    const anew = source.restart();
    expect(source.revision).toBe(null);
    requests.release();
    await vi.advanceTimersByTimeAsync(5_000);
    await Promise.all([before, anew]);
    expect([room?.members[0]?.videos[0]?.id, source.revision]).toEqual(['v2', 2]);
  });

  it('still has to begin anew after that failed', async () => {
    const whole = requests.room.bind(requests);
    requests.room = () => Promise.reject(new ApiError(0, 'M_NO_ANSWER'));
    await expect(source.restart()).rejects.toThrow();
    expect(source.revision).toBe(null);
    requests.room = whole;
    requests.ids = ['v2'];
    requests.revision = 5;
    await source.refresh();
    expect([room?.members[0]?.videos.map(({ id }) => id), source.revision]).toEqual([['v2'], 5]);
  });

  it('has what was changed where no deltas arrive', async () => {
    await source.list(ALICE, 'first');
    await source.list(ALICE, 'after');
    source.setShown([ALICE]);
    source.followed = false;
    requests.titles.set('v5', 'Renamed');
    requests.revision = 2;
    await source.refresh();
    expect([listed()[4], source.revision]).toEqual(['Renamed', 2]);
  });

  it('has what the viewer had in sight when it begins anew', async () => {
    for (let page = 0; page < 4; page += 1) await source.list(ALICE, page === 0 ? 'first' : 'after');
    expect(listed()).toEqual(numbered(12));
    source.setShown([ALICE]);
    source.setSeen('v11');
    requests.revision = 9;
    await source.restart();
    expect(listed()).toEqual(numbered(12).slice(6));
    // One that went meanwhile leads nowhere: the list is there from its begin.
    source.setSeen('v12');
    requests.ids = numbered(11);
    requests.revision = 10;
    await source.restart();
    expect(listed()).toEqual(numbered(6));
  });

  it('has no place for a page beside a part that was replaced meanwhile', async () => {
    await source.list(ALICE, 'first');
    source.setShown([ALICE]);
    source.setSeen('v1');
    requests.hold();
    const beside = source.list(ALICE, 'after');
    await settle();
    const late = requests.keepHeld();
    // Something unknown was moved: what is known is fetched again, from another place on.
    requests.ids = ['v0', ...numbered(12)];
    await merge(2, { videos: [{ id: 'v0', position: 0 }], members: [{ user_id: ALICE, count: 13, playable: 13, can: [], sender_can: [] }] });
    const places = listed();
    expect(places).toEqual(requests.ids.slice(0, places.length));
    late.forEach((go) => go());
    expect(await beside).toBe(false);
    expect(listed()).toEqual(places);
  });

  it('looks again for a video that could not be looked for', async () => {
    const found = requests.page.bind(requests);
    requests.page = () => Promise.reject(new ApiError(0, 'M_NO_ANSWER'));
    await source.find('v9');
    requests.page = found;
    await source.find('v9');
    expect(room?.members[0]?.videos.some(({ id }) => id === 'v9')).toBe(true);
    await source.find('nowhere');
    const { length } = requests.sent;
    await source.find('nowhere');
    expect(requests.sent.length).toBe(length);
  });
});
