// What is known of the talk about the videos that were shown lately.
import { isLoose } from '../core/talk/events';
import { applyEvents, emptyTalk, type EventContext, type Talk } from '../core/talk/state';
import { Store } from '../core/store';

/** How many videos are kept, and events that the homeserver does not list as relations. */
const MOST_VIDEOS = 30;
export const MOST_LOOSE = 500;

/** `elsewhere`: the room does not have the event, because it replaces the room in which the video was sent. */
export type TalkStatus = 'loading' | 'ready' | 'failed' | 'elsewhere';

export interface TalkState {
  readonly talk: Talk;
  readonly status: TalkStatus;
  /** Older replies can be fetched. */
  readonly more: boolean;
  /** Replies of others that came while nobody looked. */
  readonly unread: number;
}

export interface CachedTalk {
  readonly store: Store<TalkState>;
  /** Milliseconds on the steady clock; -Infinity when it is stale. */
  loadedAt: number;
  loading: Promise<void> | null;
  /** Where the older replies begin. */
  next: string | null;
  /** Events that arrived during loading. */
  arrived: unknown[];
  /** New replies are being fetched. */
  fetching: boolean;
  /** What is to be fetched next: what is new, or all of it, because something known was changed or taken back. */
  wanted: 'nothing' | 'new' | 'all';
}

export class TalkCache {
  readonly #entries = new Map<string, CachedTalk>();
  #loose: unknown[] = [];

  /** `onChange` is called with each talk that changed. */
  constructor(
    private readonly bot: () => string | null,
    private readonly onChange: (talk: Talk) => void,
  ) {}

  /** The talk about a video, empty where nothing is known. The latest use is at the end; what was not used for the longest time goes first. */
  get(eventId: string): CachedTalk {
    const entry = this.#entries.get(eventId) ?? {
      store: new Store<TalkState>({ talk: emptyTalk(eventId), status: 'loading', more: false, unread: 0 }),
      loadedAt: -Infinity, loading: null, next: null, arrived: [], fetching: false, wanted: 'nothing',
    };
    this.#entries.delete(eventId);
    this.#entries.set(eventId, entry);
    const oldest = this.#entries.keys().next().value;
    if (this.#entries.size > MOST_VIDEOS && oldest !== undefined) this.#entries.delete(oldest);
    return entry;
  }

  entries(): Iterable<[string, CachedTalk]> {
    return this.#entries;
  }

  /** All of it has to be fetched anew when it is needed. */
  invalidate(): void {
    for (const entry of this.#entries.values()) entry.loadedAt = -Infinity;
  }

  /** Keeps an event that is no relation in the homeserver's eyes. */
  addLoose(event: unknown): void {
    if (!isLoose(event)) return;
    this.#loose.push(event);
    if (this.#loose.length > MOST_LOOSE) this.#loose = this.#loose.slice(-MOST_LOOSE / 2);
  }

  /** Puts a talk together anew: from its thread, and everything else that is about it. */
  replace(entry: CachedTalk, thread: readonly unknown[], others: readonly unknown[]): void {
    const context = this.#context();
    const { eventId, gone } = entry.store.get().talk;
    const talk = applyEvents({ ...emptyTalk(eventId), gone }, thread, { ...context, fromThread: true });
    this.#set(entry, applyEvents(talk, [...others, ...this.#loose, ...entry.arrived], context));
  }

  apply(entry: CachedTalk, events: readonly unknown[], fromThread = false): void {
    this.change(entry, (talk) => applyEvents(talk, events, { ...this.#context(), fromThread }));
  }

  change(entry: CachedTalk, change: (talk: Talk) => Talk): void {
    this.#set(entry, change(entry.store.get().talk));
  }

  /** An event that arrived by itself: what is being loaded may be older. */
  arrived(entry: CachedTalk, event: unknown): void {
    if (entry.loading !== null) entry.arrived.push(event);
    this.apply(entry, [event]);
  }

  #set(entry: CachedTalk, talk: Talk): void {
    entry.store.patch({ talk });
    this.onChange(talk);
  }

  #context(): EventContext {
    return { now: Date.now(), bot: this.bot() };
  }
}
