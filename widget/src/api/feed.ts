// Keeps the room fresh: loads it, follows its events, loads it again before its media grants end, and survives every outage.
import { Pause } from '../browser/pause';
import { pauseBefore } from '../core/backoff';
import type { Sample } from '../core/clock';
import { decodeProgress, decodeRoom, decodeTalk, decodeWatching } from '../core/decode';
import type { Progress, Room } from '../core/model';
import { readEvents } from './events';
import { ApiError, fetchJson, isTransient, retryAfterOf, type JsonResponse } from './http';
import type { SessionHolder } from './session';

/** Milliseconds before the grants' end at which new ones are fetched, and the least wait between two such fetches. */
const EARLY = 60_000;
const LEAST = 5_000;

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
  #refreshing: Promise<void> | null = null;
  #again = false;
  #renewal: ReturnType<typeof setTimeout> | undefined;
  #together: readonly string[] = [];

  constructor(
    private readonly roomId: string,
    private readonly session: SessionHolder,
    private readonly events: FeedEvents,
  ) {}

  /** Loads the room and follows it until `stop`. */
  start(): void {
    const { signal } = this.#stop;
    document.addEventListener('visibilitychange', () => this.#pause.end(), { signal });
    // The first frame need not wait for the stream; what fails here fails there too, and is reported there.
    this.refresh().catch(() => undefined);
    void this.#follow();
  }

  stop(): void {
    this.#stop.abort();
    clearTimeout(this.#renewal);
  }

  /** Has the server put these members' videos together from now on, `*` for everybody's; nobody's for an empty list. */
  setTogether(together: readonly string[]): void {
    if (together.join() === this.#together.join()) return;
    this.#together = together;
    if (together.length > 0) void this.refresh().catch(() => undefined);
  }

  /** Loads the room anew. Calls during a load lead to one more load after it, because that one may have missed a change. */
  refresh(): Promise<void> {
    if (this.#refreshing !== null) {
      this.#again = true;
      return this.#refreshing;
    }
    this.#refreshing = this.#load().finally(() => (this.#refreshing = null));
    return this.#refreshing;
  }

  async #load(): Promise<void> {
    do {
      const { json, ahead, sent, received } = await this.#fetch();
      if (this.#stopped()) return;
      const room = decodeRoom(json);
      this.#renewBefore(room.grantExpiresAt - ahead);
      if (room.now !== null) this.events.time({ sent, received, server: room.now });
      this.events.room(room);
    } while (this.#takeAgain());
  }

  async #fetch(): Promise<JsonResponse> {
    const query = this.#query();
    const brought = await this.session.takeRoom();
    if (brought !== null && query === '') return brought;
    return this.session.authorized((headers) => fetchJson(this.#path() + query, { headers }));
  }

  #takeAgain(): boolean {
    const again = this.#again;
    this.#again = false;
    return again;
  }

  #renewBefore(expiry: number): void {
    clearTimeout(this.#renewal);
    const wait = Math.max(LEAST, expiry - EARLY - Date.now());
    // A failure here is no news: the event stream notices the outage and loads the room when it is over.
    this.#renewal = setTimeout(() => void this.refresh().catch(() => undefined), Math.min(wait, 2 ** 31 - 1));
  }

  async #follow(): Promise<void> {
    for (let attempt = 0; !this.#stopped(); attempt += 1) {
      const error = await this.#connection(() => (attempt = 0)).catch((reason: unknown) => reason);
      if (this.#stopped()) return;
      if (isFinal(error)) { this.#end(error); return; }
      this.events.lost(error);
      const retryAfter = retryAfterOf(error);
      await this.#pause.wait(pauseBefore(attempt, Math.random(), retryAfter), { signal: this.#stop.signal, fixed: retryAfter !== null });
    }
  }

  /** One connection. The room is loaded once the stream is open, so that no change falls in between. */
  #connection(onLive: () => void): Promise<void> {
    return this.session.authorized(async (headers) => {
      const failed = new AbortController();
      const load = (): void => void this.refresh().then(onLive, (error: unknown) => failed.abort(error));
      const signal = AbortSignal.any([this.#stop.signal, failed.signal]);
      const opened = (): void => {
        this.events.live();
        load();
      };
      await readEvents(`${this.#path()}/events`, headers, signal, opened, ({ type, data }) => {
        if (type === 'changed') load();
        if (type === 'progress') this.#progress(data);
        if (type === 'watching') this.events.watching(decodeWatching(JSON.parse(data)));
        if (type === 'talk') this.events.talk(decodeTalk(JSON.parse(data)));
        if (type === 'revoked') failed.abort(new ApiError(403, 'M_FORBIDDEN'));
      }).catch((error: unknown) => {
        throw failed.signal.aborted ? failed.signal.reason : error;
      });
    });
  }

  #progress(data: string): void {
    const { videoId, progress } = decodeProgress(JSON.parse(data));
    this.events.progress(videoId, progress);
  }

  #stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  #end(error: unknown): void {
    this.stop();
    this.events.ended(error);
  }

  #query(): string {
    return this.#together.length === 0 ? '' : `?${new URLSearchParams(this.#together.map((each) => ['together', each])).toString()}`;
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
