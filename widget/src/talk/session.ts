// The talk about videos: loads what is said about those that show, follows it, and sends for the viewer.
import { Store } from '../core/store';
import { plainReplyContent, localEvent, reactionContent, replyContent } from '../core/talk/content';
import { targetOf } from '../core/talk/events';
import { MOST_REPLIES, withoutEvents, withoutRedactions, type Talk } from '../core/talk/state';
import { hasDoubles, reactionsOf, reactionWith } from '../core/talk/views';
import { SeveralHosts, statusOf, type Messenger } from '../matrix/messenger';
import { newNonce } from '../browser/nonce';
import { TalkCache, type CachedTalk, type TalkState } from './cache';
import { TalkFetcher } from './fetcher';
import { isLocal, newsBetween, newsOf, notSentBecause, type TalkNews } from './news';

/** Milliseconds for which a video has to show before anything about it is fetched: some are only skipped over. */
const SETTLE = 250;
/** Milliseconds after which a talk is fetched anew when the video shows again: events can be missed. */
const FRESH = 120_000;

export class TalkSession {
  /** The event id of the video whose replies are on the screen. */
  readonly reading = new Store<string | null>(null);
  /** What was begun to be written, by the event id of the video that it is about. */
  readonly drafts = new Map<string, string>();
  readonly #cache: TalkCache;
  readonly #fetcher: TalkFetcher;
  /** The newest messages, once. */
  #recent: Promise<void> | null = null;
  readonly #listeners = new Set<(news: TalkNews) => void>();
  #locals = 0;
  /** The nonces of what this page sent. */
  readonly #sent = new Set<string>();
  /** What is sent goes one after the other: a reaction must not overtake the redaction of an equal one. */
  #sending: Promise<unknown> = Promise.resolve();
  /** The nonce of what was not sent yet, by the event that it is about: a further try is for the same message. */
  readonly #nonces = new Map<string, { readonly text: string; readonly nonce: string }>();
  #showing: string | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly messenger: Messenger,
    private readonly viewer: () => string | null,
    bot: () => string | null,
  ) {
    this.#cache = new TalkCache(bot, (talk) => this.#checkForDoubles(talk));
    this.#fetcher = new TalkFetcher(messenger, bot);
    messenger.onEvent((event) => this.#handle(event));
    // With another permission there may be more to see.
    messenger.permissions.granted.subscribe(() => {
      this.#recent = null;
      this.#cache.invalidate();
    });
    this.reading.subscribe(() => this.#read());
  }

  /** What is known about a video; fetches nothing. */
  of(eventId: string): Store<TalkState> {
    return this.#cache.get(eventId).store;
  }

  /** The video shows: what is said about it is fetched unless it is known. */
  show(eventId: string): void {
    this.#showing = eventId;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.load(eventId), SETTLE);
  }

  /** Fetches what is said about a video; never rejects. */
  load(eventId: string, anew = false): Promise<void> {
    const entry = this.#cache.get(eventId);
    if (!anew && performance.now() - entry.loadedAt < FRESH) return Promise.resolve();
    entry.loading ??= this.#load(eventId, entry).finally(() => {
      entry.loading = null;
    });
    return entry.loading;
  }

  /**
   * Fetches what is new about an event, a video or what was said about one; null: perhaps about any. Clients pass on no events of threads, and without a
   * client there are none.
   */
  refresh(about: string | null): void {
    for (const [id, entry] of this.#cache.entries()) {
      const known = about === null || this.#has(entry.store.get().talk, about);
      if (about !== id && !known) continue;
      if (id === this.#showing || id === this.reading.get()) this.#fetch(id, entry, known ? 'all' : 'new');
      else entry.loadedAt = -Infinity;
    }
  }

  /** Fetches older replies; never rejects. */
  async earlier(eventId: string): Promise<void> {
    const entry = this.#cache.get(eventId);
    if (entry.next === null || entry.loading !== null) return;
    const load = this.#fetcher.replies(eventId, entry.next).then(
      ({ events, next }) => {
        entry.next = next;
        this.#cache.apply(entry, events, true);
        this.#updateMore(entry);
      },
      () => undefined,
    );
    entry.loading = load.finally(() => {
      entry.loading = null;
    });
    await entry.loading;
  }

  /** Adds the viewer's reaction; at once, and takes it back when it cannot be sent. An equal one is never sent twice. Never rejects. */
  async react(eventId: string, key: string): Promise<void> {
    const entry = this.#cache.get(eventId);
    // Unless all are known, there may be an equal one: homeservers refuse a second, over which some clients stumble for good.
    if (entry.loadedAt === -Infinity || entry.loading !== null) await this.load(eventId);
    if (this.#hasReacted(entry, key)) return;
    if (!this.messenger.permissions.has('seeReactions') || entry.store.get().status !== 'ready') { this.#publish({ kind: 'not-sent', eventId, why: null }); return; }
    const content = reactionContent(eventId, key);
    const local = this.#own(entry, 'm.reaction', content);
    try {
      const id = await this.#send('m.reaction', content);
      this.#cache.arrived(entry, this.#event(id, 'm.reaction', content));
    } catch (error) {
      this.#cache.change(entry, (talk) => withoutEvents(talk, [local]));
      // It may have been sent all the same; 400 is also what a second equal one gets.
      if (this.#isUncertain(error) || statusOf(error) === 400) await this.load(eventId, true);
      if (!this.#hasReacted(entry, key)) this.#publish({ kind: 'not-sent', eventId, why: notSentBecause(error) });
    }
    this.#cache.change(entry, (talk) => withoutEvents(talk, [local]));
  }

  /** Takes the viewer's own reactions or replies back. Never rejects. */
  async takeBack(eventId: string, ids: readonly string[]): Promise<void> {
    const entry = this.#cache.get(eventId);
    const before = entry.store.get().talk;
    for (const redacts of ids.filter((id) => !isLocal(id))) {
      this.#cache.apply(entry, [this.#event(this.#localId(), 'm.room.redaction', { redacts })]);
      try {
        await this.#send('m.room.redaction', { redacts });
      } catch (error) {
        this.#cache.change(entry, (talk) => withoutRedactions(talk, before, [redacts]));
        this.#publish({ kind: 'not-sent', eventId, why: notSentBecause(error) });
      }
    }
  }

  /** Sends a reply as the viewer. Rejects when it was not sent, with SeveralHosts where nothing is. */
  async reply(eventId: string, text: string): Promise<void> {
    const entry = this.#cache.get(eventId);
    const before = this.#nonces.get(eventId);
    const nonce = before?.text === text ? before.nonce : newNonce();
    this.#nonces.set(eventId, { text, nonce });
    this.#sent.add(nonce);
    let content = replyContent(entry.store.get().talk, text, nonce);
    try {
      const id = await this.#send('m.room.message', content).catch((error: unknown) => {
        // What belongs to a thread, or relates to something else, cannot begin one.
        if (statusOf(error) !== 400) throw error;
        content = plainReplyContent(eventId, text, nonce);
        return this.#send('m.room.message', content);
      });
      const event = this.#event(id, 'm.room.message', content);
      this.#cache.addLoose(event);
      this.#cache.arrived(entry, event);
      this.messenger.hosts.sent('sendText', () => this.#hasArrived(eventId, nonce));
    } catch (error) {
      if (!this.#isUncertain(error)) throw error;
      await this.load(eventId, true);
      if (!this.#isKnown(entry, nonce)) throw error;
    }
    this.#nonces.delete(eventId);
  }

  /** Calls `listener` with what happens; returns the way to stop it. */
  onNews(listener: (news: TalkNews) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** An event is among what is said; a client notifies of reactions by itself. */
  #has({ replies, reactions }: Talk, id: string): boolean {
    // Each person's part of a reaction that stands for several has the event's id and its own end.
    return replies.has(id) || (this.messenger.onBehalf && [...reactions.keys()].some((each) => each === id || each.startsWith(`${id}~`)));
  }

  #isKnown(entry: CachedTalk, nonce: string): boolean {
    return [...entry.store.get().talk.replies.values()].some((reply) => reply.nonce === nonce);
  }

  /** Looks at all that is said about a video, and whether a reply is among it. */
  async #hasArrived(eventId: string, nonce: string): Promise<boolean> {
    await this.load(eventId, true);
    const entry = this.#cache.get(eventId);
    return entry.store.get().status === 'ready' && this.#isKnown(entry, nonce);
  }

  #send(type: string, content: object): Promise<string> {
    const sent = this.#sending.then(() => this.messenger.send(type, content));
    this.#sending = sent.catch(() => undefined);
    return sent;
  }

  #hasReacted(entry: CachedTalk, key: string): boolean {
    const mine = reactionWith(reactionsOf(entry.store.get().talk, this.viewer()), key)?.mine ?? [];
    return mine.length > 0;
  }

  #fetch(eventId: string, entry: CachedTalk, what: 'new' | 'all'): void {
    if (entry.wanted !== 'all') entry.wanted = what;
    if (entry.fetching) return;
    entry.fetching = true;
    void this.#fetchWanted(eventId, entry).finally(() => {
      entry.fetching = false;
    });
  }

  async #fetchWanted(eventId: string, entry: CachedTalk): Promise<void> {
    while (entry.wanted !== 'nothing') {
      const all = entry.wanted === 'all';
      entry.wanted = 'nothing';
      // What is not known yet is no news.
      if (entry.loading !== null || entry.loadedAt === -Infinity) await this.load(eventId);
      const { talk: before } = entry.store.get();
      if (this.messenger.onBehalf) await this.load(eventId, true);
      else await this.#fetcher.replies(eventId).then(({ events }) => this.#cache.apply(entry, events, true), () => undefined);
      this.#publishNews(entry, before);
      if (all && !this.messenger.onBehalf) await this.load(eventId, true);
    }
  }

  /** What others said since is news; of reactions a client notifies by itself. */
  #publishNews(entry: CachedTalk, before: Talk): void {
    const { talk, unread } = entry.store.get();
    const { replies, reactions } = newsBetween(before, talk, this.viewer());
    if (replies.length > 0 && this.reading.get() !== talk.eventId) entry.store.patch({ unread: unread + replies.length });
    for (const news of this.messenger.onBehalf ? [...replies, ...reactions] : replies) this.#publish(news);
  }

  async #load(eventId: string, entry: CachedTalk): Promise<void> {
    entry.arrived = [];
    try {
      this.#recent ??= this.#fetcher.recent().then((events) => events.forEach((event) => this.#cache.addLoose(event)));
      const [replies, reactions] = await Promise.all([this.#fetcher.replies(eventId), this.#fetcher.reactions(eventId), this.#recent]);
      this.#cache.replace(entry, replies.events, reactions);
      entry.next = replies.next;
      entry.loadedAt = performance.now();
      entry.store.patch({ status: 'ready' });
      this.#updateMore(entry);
    } catch (error) {
      // Not to be fetched again at each turn of a reel.
      if (statusOf(error) === 404) entry.loadedAt = performance.now();
      entry.store.patch({ status: statusOf(error) === 404 ? 'elsewhere' : 'failed' });
    }
  }

  /** An event arrived from the client. */
  #handle(event: unknown): void {
    this.#cache.addLoose(event);
    const target = targetOf(event);
    if (target === null || this.#fetcher.isMark(event)) return;
    for (const [, entry] of this.#cache.entries()) {
      const { talk, unread } = entry.store.get();
      const known = target === talk.eventId || talk.replies.has(target) || talk.reactions.has(target) || talk.edits.has(target);
      if (known) this.#cache.arrived(entry, event);
      else if (entry.loading !== null) entry.arrived.push(event);
      if (!known) continue;
      const news = newsOf(talk, entry.store.get().talk, this.viewer());
      if (news?.kind === 'reply' && this.reading.get() !== talk.eventId) entry.store.patch({ unread: unread + 1 });
      if (news !== null) this.#publish(news);
    }
  }

  #read(): void {
    const eventId = this.reading.get();
    if (eventId !== null) this.of(eventId).patch({ unread: 0 });
  }

  #own(entry: CachedTalk, type: string, content: object): string {
    const id = this.#localId();
    this.#cache.apply(entry, [this.#event(id, type, content)]);
    return id;
  }

  #localId(): string {
    this.#locals += 1;
    return `~${this.#locals}`;
  }

  #event(id: string, type: string, content: object): object {
    return localEvent(id, type, this.viewer() ?? '', Date.now(), content);
  }

  /** No response is no refusal: it may have been sent all the same; and so it may where our server got none from the homeserver. */
  #isUncertain(error: unknown): boolean {
    const status = statusOf(error);
    return !(error instanceof SeveralHosts) && (status === null || (this.messenger.onBehalf && status >= 500));
  }

  /** Where the client obeys several times without saying so, once is enough to know. */
  #checkForDoubles(talk: Talk): void {
    if (hasDoubles(talk, this.#sent, this.viewer())) this.messenger.hosts.sawDouble();
  }

  #updateMore(entry: CachedTalk): void {
    entry.store.patch({ more: entry.next !== null && entry.store.get().talk.replies.size < MOST_REPLIES });
  }

  #publish(news: TalkNews): void {
    for (const listener of this.#listeners) listener(news);
  }
}
