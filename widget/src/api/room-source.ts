// The room as it was fetched and as it changed since: the overview, pages of its lists when they are wanted, and what is the viewer's alone.
import { sleep } from '../browser/pause';
import type { Sample } from '../core/clock';
import type { Progress, Room } from '../core/model';
import { Composer } from '../core/room/compose';
import { begun, begunAgain, isComplete, listed, takesOwn, withDelta, withMembers, withMine, withOverview, withoutWindow, withPage, withProgress, withVideos, withWatching, type Pages } from '../core/room/pages';
import { missingPart, queryOf, type ListPart, type OnePart } from '../core/room/parts';
import { isWhole } from '../core/room/windows';
import { decodeMembers, decodeMine, decodeOverview, decodePage, type Delta, type ListedVideo, type Mine, type Overview } from '../core/room/wire';
import { isTransient, type JsonResponse } from './http';
import type { RoomRequests } from './room-requests';

/** Milliseconds before the grant's end, and before that of the schedule, at which new ones are fetched; the least wait between two fetches. */
const EARLY = 60_000;
const EARLY_SCHEDULE = 10_000;
const LEAST = 5_000;
/** Milliseconds for which the event stream may lag behind an overview, and between two looks. */
const REACHES = 2_000;
const STEP = 50;

type Requests = Pick<RoomRequests, 'together' | 'room' | 'mine' | 'page' | 'members' | 'userId'>;

export interface SourceEvents {
  room(room: Room): void;
  /** A response also carried the server's time. */
  time(sample: Sample): void;
}

export class RoomSource {
  /** Deltas arrive. */
  followed = false;
  #pages: Pages | null = null;
  readonly #composer = new Composer();
  /** What changes the room happens one after the other. */
  #queue: Promise<unknown> = Promise.resolve();
  #refreshing: Promise<void> | null = null;
  #again = false;
  /** How often everything is to begin anew, and how often it did. */
  #restarts = 0;
  #round = 0;
  #renewal: ReturnType<typeof setTimeout> | undefined;
  #shown: readonly string[] = [];
  #seen: string | null = null;
  readonly #loading = new Map<string, Promise<boolean>>();
  readonly #unknown = new Set<string>();

  constructor(
    private readonly requests: Requests,
    private readonly events: SourceEvents,
    private readonly stopped: AbortSignal,
  ) {
    stopped.addEventListener('abort', () => clearTimeout(this.#renewal));
  }

  /** Up to which revision the room is known; null before it is, and when it has to begin anew. */
  get revision(): number | null {
    return this.#restarts === this.#round ? this.#pages?.revision ?? null : null;
  }

  /** Has the server put these members' videos together from now on, `*` for everybody's; nobody's for an empty list. */
  setTogether(together: readonly string[]): void {
    if (together.join() === this.requests.together.join()) return;
    this.requests.together = together;
    if (together.length > 0) this.renew();
  }

  /** The lists that show: what begins anew has their pages from the start. */
  setShown(lists: readonly string[]): void {
    this.#shown = lists;
  }

  /** Of the rows that the viewer has in sight, one: what begins anew has the list from around it. */
  setSeen(videoId: string): void {
    this.#seen = videoId;
  }

  /** Loads the room anew. Calls during a load lead to one more load after it, because that one may have missed a change. */
  refresh(): Promise<void> {
    // An overview holds only a part of a large room, and nobody brings the rest.
    if (!this.followed && this.#pages !== null && !isComplete(this.#pages)) this.#restarts += 1;
    if (this.#refreshing !== null) {
      this.#again = true;
      return this.#refreshing;
    }
    this.#refreshing = this.#load().finally(() => (this.#refreshing = null));
    return this.#refreshing;
  }

  /** Begins anew: pages that were fetched under other rights say nothing any more. */
  restart(): Promise<void> {
    this.#restarts += 1;
    return this.refresh();
  }

  /** Fetches what is the viewer's alone; a failure is no news, for the event stream notices the outage. */
  renew(): void {
    void this.#inTurn(() => this.#fetchMine()).catch(() => undefined);
  }

  merge(delta: Delta): void {
    const merged = this.#inTurn(async () => {
      if (this.#pages === null) return;
      const own = takesOwn(this.#pages, delta);
      // A row of the viewer's own must not be gone for as long as it takes to hear what became of it.
      const mine = own ? await this.requests.mine().catch(() => null) : null;
      this.#pages = withDelta(this.#pages, delta);
      await this.#mend();
      if (mine === null) this.#publish();
      else this.#takeMine(mine);
    });
    // What cannot be merged is fetched instead; a failure of that is no news either.
    merged.catch(() => this.restart()).catch(() => undefined);
  }

  progress(videoId: string, progress: Progress): void {
    this.#pages &&= withProgress(this.#pages, videoId, progress);
  }

  watching(watching: readonly string[]): void {
    this.#pages &&= withWatching(this.#pages, watching);
  }

  /** Loads a part of a list; returns whether it is there. */
  async list(of: string, part: ListPart): Promise<boolean> {
    // Of each list one page at a time.
    for (let busy = this.#loading.get(of); busy !== undefined; busy = this.#loading.get(of)) await busy;
    const loading = (part === 'whole' ? this.#whole(of) : this.#part(of, part)).catch(() => false).finally(() => this.#loading.delete(of));
    this.#loading.set(of, loading);
    return loading;
  }

  /** Loads more members; returns whether they are there. */
  async members(): Promise<boolean> {
    return this.list(' members', 'after');
  }

  /** Learns of a video that is on no known page. */
  async find(videoId: string): Promise<void> {
    if (this.#pages === null || this.#pages.videos.has(videoId) || this.#unknown.has(videoId)) return;
    this.#unknown.add(videoId);
    const round = this.#round;
    const response = await this.requests.page(`of=*&around=${encodeURIComponent(videoId)}`).catch((error: unknown) => {
      // It may well be there.
      if (isTransient(error)) this.#unknown.delete(videoId);
      return null;
    });
    if (response === null || round !== this.#round) return;
    this.#pages = withVideos(this.#pages, decodePage(response.json));
    this.#publish();
  }

  async #whole(of: string): Promise<boolean> {
    while (this.#pages !== null) {
      const part = missingPart(this.#pages, of);
      if (part === null) return true;
      if (!(await this.#part(of, part))) return false;
    }
    return false;
  }

  async #part(of: string, part: OnePart): Promise<boolean> {
    if (this.#pages === null || this.stopped.aborted) return false;
    const round = this.#round;
    if (of === ' members') {
      const after = this.#pages.moreMembers;
      if (after === null) return true;
      const { json } = await this.requests.members(after);
      if (round === this.#round) this.#pages = withMembers(this.#pages, decodeMembers(json));
      return this.#publish();
    }
    const query = queryOf(this.#pages, of, part);
    if (query === null) return true;
    const { json } = await this.requests.page(query);
    // Beside a part that was replaced meanwhile it has no place.
    if (round !== this.#round || decodePage(json).revision < this.#pages.since || queryOf(this.#pages, of, part) !== query) return false;
    this.#pages = withPage(this.#pages, decodePage(json), part === 'before' || part === 'after' ? part : 'joined');
    if (this.#pages.holes.has(of)) await this.#mend();
    return this.#publish();
  }

  async #load(): Promise<void> {
    do {
      // What was requested before it is said to begin anew is no such begin.
      const round = this.#restarts;
      const [overview, mine] = await this.requests.room();
      if (this.stopped.aborted) return;
      const userId = await this.requests.userId();
      const decoded = decodeOverview(overview.json);
      await this.#inTurn(() => this.#take(decoded, mine, userId, round));
      await this.#reached(decoded.revision);
    } while (this.#takeAgain());
  }

  async #take(overview: Overview, mine: JsonResponse, userId: string, round: number): Promise<void> {
    const before = this.#pages;
    const own = decodeMine(mine.json);
    if (before !== null && round === this.#round) this.#pages = withOverview(before, overview);
    else {
      this.#round = round;
      this.#unknown.clear();
      this.#pages = begunAgain(before, begun(overview, own, userId));
      if (before !== null) await this.#fetchShown(before);
    }
    this.#takeMine(mine, own);
  }

  /** What shows stays where it is, when everything begins anew. */
  async #fetchShown(before: Pages): Promise<void> {
    for (const of of this.#shown) {
      const window = this.#pages?.windows.get(of);
      if (before.windows.has(of) && (window === undefined || !isWhole(window))) await this.#fetchAgain(of, listed(before, of));
    }
  }

  /** Lists of which something may be missing are fetched again where they show, and forgotten elsewhere. */
  async #mend(): Promise<void> {
    for (const of of this.#pages?.holes ?? []) {
      if (this.#pages === null) return;
      if (this.#shown.includes(of)) await this.#fetchAgain(of, listed(this.#pages, of));
      else this.#pages = withoutWindow(this.#pages, of);
    }
  }

  /** Fetches the part of a list anew that the viewer has in sight, with a page on either side. */
  async #fetchAgain(of: string, known: readonly ListedVideo[]): Promise<void> {
    const seen = known.find(({ id }) => id === this.#seen) ?? known[0];
    if (seen === undefined || !(await this.#fetchPart(of, { around: seen.id }, 'instead'))) await this.#fetchPart(of, 'begin', 'instead');
    await this.#fetchPart(of, 'before', 'before');
    await this.#fetchPart(of, 'after', 'after');
  }

  /** Returns whether there was something to fetch, and it came. */
  async #fetchPart(of: string, part: OnePart, where: 'before' | 'after' | 'instead'): Promise<boolean> {
    const query = this.#pages && queryOf(this.#pages, of, part);
    const response = query === null ? null : await this.requests.page(query).catch(() => null);
    if (response === null || this.#pages === null) return false;
    this.#pages = withPage(this.#pages, decodePage(response.json), where);
    return true;
  }

  async #fetchMine(): Promise<void> {
    if (this.#pages !== null) this.#takeMine(await this.requests.mine());
  }

  #takeMine({ json, ahead, sent, received }: JsonResponse, mine: Mine = decodeMine(json)): void {
    if (this.#pages === null || this.stopped.aborted) return;
    this.#pages = withMine(this.#pages, mine);
    const { now } = mine.json;
    if (typeof now === 'number') this.events.time({ sent, received, server: now });
    const room = this.#composer.compose(this.#pages);
    this.#renewBefore(Math.min(mine.grantExpiresAt - EARLY, (room.schedule?.until ?? Infinity) - EARLY_SCHEDULE) - ahead);
    this.events.room(room);
  }

  #publish(): boolean {
    if (this.#pages !== null && !this.stopped.aborted) this.events.room(this.#composer.compose(this.#pages));
    return true;
  }

  /** Of a large room an overview is only a part: the event stream brings the rest, unless it does not concern the viewer. */
  async #reached(revision: number): Promise<void> {
    const behind = (): boolean => this.#pages !== null && this.#pages.revision < revision && !this.stopped.aborted;
    for (const end = performance.now() + REACHES; behind() && performance.now() < end;) await sleep(STEP);
  }

  #takeAgain(): boolean {
    const again = this.#again;
    this.#again = false;
    return again;
  }

  #renewBefore(time: number): void {
    clearTimeout(this.#renewal);
    const wait = Math.max(LEAST, time - Date.now());
    this.#renewal = setTimeout(() => this.renew(), Math.min(wait, 2 ** 31 - 1));
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = this.#queue.then(act);
    this.#queue = done.catch(() => undefined);
    return done;
  }
}
