// Keeps the room fresh: loads it, follows its events from the revision on that it has, and survives every outage.
import { Pause } from '../browser/pause';
import { pauseBefore } from '../core/backoff';
import type { Sample } from '../core/clock';
import { decodeProgress, decodeTalk, decodeWatching } from '../core/decode';
import type { ListPart } from '../core/room/parts';
import { decodeDelta } from '../core/room/wire';
import type { Progress, Room } from '../core/model';
import { readEvents } from './events';
import { ApiError, isTransient, retryAfterOf } from './http';
import { RoomRequests } from './room-requests';
import { RoomSource } from './room-source';
import type { SessionHolder } from './session';

export interface FeedEvents {
  room(room: Room): void;
  /** The server has come further with a video; nothing else changed. */
  progress(videoId: string, progress: Progress): void;
  /** Others watch the channel now. */
  watching(watching: readonly string[]): void;
  /** Something new was said about the video of an event; null: perhaps about any. */
  talk(eventId: string | null): void;
  /** A response also carried the server's time. */
  time(sample: Sample): void;
  /** Changes arrive (again). */
  live(): void;
  /** Changes do not arrive for now; it keeps trying. */
  lost(error: unknown): void;
  /** Nothing will come any more: the viewer has no right to it, or has to identify again. */
  ended(error: unknown): void;
}

export class RoomFeed {
  readonly #stop = new AbortController();
  readonly #pause = new Pause();
  readonly #source: RoomSource;

  constructor(
    private readonly roomId: string,
    private readonly session: SessionHolder,
    private readonly events: FeedEvents,
  ) {
    this.#source = new RoomSource(new RoomRequests(this.#path(), session), events, this.#stop.signal);
  }

  /** Loads the room and follows it until `stop`. */
  start(): void {
    const { signal } = this.#stop;
    document.addEventListener('visibilitychange', () => this.#pause.end(), { signal });
    void this.#follow();
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Has the server put these members' videos together from now on, `*` for everybody's; nobody's for an empty list. */
  setTogether(together: readonly string[]): void {
    this.#source.setTogether(together);
  }

  /** The lists that show. */
  setShown(lists: readonly string[]): void {
    this.#source.setShown(lists);
  }

  /** Of the rows that the viewer has in sight, one. */
  setSeen(videoId: string): void {
    this.#source.setSeen(videoId);
  }

  /** Loads the room anew. */
  refresh(): Promise<void> {
    return this.#source.refresh();
  }

  /** Loads a part of a list of a large room; returns whether it is there. */
  list(of: string, part: ListPart): Promise<boolean> {
    return this.#source.list(of, part);
  }

  /** Loads more members of a large room; returns whether they are there. */
  members(): Promise<boolean> {
    return this.#source.members();
  }

  /** Learns of a video that is on no known page. */
  find(videoId: string): Promise<void> {
    return this.#source.find(videoId);
  }

  async #follow(): Promise<void> {
    for (let attempt = 0; !this.#stopped(); attempt += 1) {
      const error = await this.#connection(() => (attempt = 0)).catch((reason: unknown) => reason);
      this.#source.followed = false;
      if (this.#stopped()) return;
      if (isFinal(error)) { this.#end(error); return; }
      this.events.lost(error);
      const retryAfter = retryAfterOf(error);
      await this.#pause.wait(pauseBefore(attempt, Math.random(), retryAfter), { signal: this.#stop.signal, fixed: retryAfter !== null });
    }
  }

  /** One connection: it goes on behind the revision that is known, so that no change falls in between. */
  async #connection(onLive: () => void): Promise<void> {
    // Once the server has forgotten what changed since, it says so.
    if (this.#source.revision === null) await this.#source.refresh();
    return this.session.authorized(async (headers) => {
      const failed = new AbortController();
      const signal = AbortSignal.any([this.#stop.signal, failed.signal]);
      const opened = (): void => {
        onLive();
        this.#source.followed = true;
        this.events.live();
        // What concerns the viewer alone has no number.
        this.#source.renew();
      };
      const fail = (error: unknown): void => failed.abort(error);
      const since = { 'last-event-id': `${this.#source.revision ?? 0}` };
      await readEvents(`${this.#path()}/events`, { ...headers, ...since }, signal, opened, ({ type, data }) => this.#handle(type, data, fail)).catch((error: unknown) => {
        throw failed.signal.aborted ? failed.signal.reason : error;
      });
    });
  }

  #handle(type: string, data: string, fail: (error: unknown) => void): void {
    if (type === 'delta') this.#delta(data, fail);
    if (type === 'reset') this.#source.restart().catch(fail);
    if (type === 'mine') this.#source.renew();
    if (type === 'progress') this.#progress(data);
    if (type === 'watching') this.#watching(data);
    if (type === 'talk') this.events.talk(decodeTalk(JSON.parse(data)));
    if (type === 'revoked') fail(new ApiError(403, 'M_FORBIDDEN'));
  }

  /** One that cannot be read would come again and again. */
  #delta(data: string, fail: (error: unknown) => void): void {
    try {
      this.#source.merge(decodeDelta(JSON.parse(data)));
    } catch {
      this.#source.restart().catch(fail);
    }
  }

  #watching(data: string): void {
    const watching = decodeWatching(JSON.parse(data));
    this.#source.watching(watching);
    this.events.watching(watching);
  }

  #progress(data: string): void {
    const { videoId, progress } = decodeProgress(JSON.parse(data));
    this.#source.progress(videoId, progress);
    this.events.progress(videoId, progress);
  }

  #stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  #end(error: unknown): void {
    this.stop();
    this.events.ended(error);
  }

  #path(): string {
    return `/api/v1/rooms/${encodeURIComponent(this.roomId)}`;
  }
}

/** True for what stays as it is, however often it is tried. */
function isFinal(error: unknown): boolean {
  if (error === undefined || error instanceof DOMException || error instanceof TypeError) return false;
  if (!(error instanceof ApiError)) return true;
  return !isTransient(error) && error.status >= 400 && error.status !== 410;
}
