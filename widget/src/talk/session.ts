// Talking about videos: keeps what was said about those that were shown lately, and sends for the viewer.
import { Store } from '../core/store';
import { ownEvent, plainReplyContent, reactionContent, replyContent } from '../core/talk/content';
import { isLoose, isMarkOf, targetOf, type Reply } from '../core/talk/events';
import { emptyTalk, forget, learn, MOST_REPLIES, restore, type Talk } from '../core/talk/state';
import { hasDoubles, reactionsOf, reactionWith, repliesOf } from '../core/talk/views';
import { SeveralHosts, statusOf, type Messenger } from '../matrix/messenger';
import { newNonce } from '../browser/nonce';

/** Milliseconds for which a video has to show before anything is asked about it: some are only skipped over. */
const SETTLE = 250;
/** Milliseconds after which what is known is asked for anew when the video shows again: events can be missed. */
const FRESH = 120_000;
/** How many videos are remembered, and events that the homeserver does not list as relations. */
const MOST_VIDEOS = 30;
const MOST_LOOSE = 500;
const REPLIES_PAGE = 50;
const REACTIONS_PAGE = 200;
const REACTIONS_PAGES = 5;

/** `elsewhere`: the room does not have the event, because it replaces the room in which the video was sent. */
export type Status = 'loading' | 'ready' | 'failed' | 'elsewhere';

export interface TalkState {
  readonly talk: Talk;
  readonly status: Status;
  /** Older replies can be asked for. */
  readonly more: boolean;
  /** Replies of others that came while nobody looked. */
  readonly unread: number;
}

/** Something that happens now, to be seen over the picture. */
export type News =
  | { readonly kind: 'reaction'; readonly eventId: string; readonly label: string }
  | { readonly kind: 'reply'; readonly eventId: string; readonly reply: Reply }
  | { readonly kind: 'not-sent'; readonly eventId: string; readonly why: NotSent };

/** Why something was not sent, where that is known: `busy`: too much at once; `refused`: the viewer may not. */
export type NotSent = 'busy' | 'refused' | null;

interface Kept {
  readonly store: Store<TalkState>;
  loadedAt: number;
  loading: Promise<void> | null;
  /** Where the older replies begin. */
  next: string | null;
  /** What was heard during loading. */
  heard: unknown[];
  /** New replies are being fetched. */
  fetching: boolean;
  /** What is to be fetched next: what is new, or all of it, because something known was changed or taken back. */
  wanted: 'nothing' | 'new' | 'all';
}

export class TalkKeeper {
  /** The event id of the video whose replies are on the screen. */
  readonly reading = new Store<string | null>(null);
  /** What was begun to be written, by the event id of the video that it is about. */
  readonly drafts = new Map<string, string>();
  readonly #kept = new Map<string, Kept>();
  readonly #listeners = new Set<(news: News) => void>();
  #loose: unknown[] = [];
  #recent: Promise<void> | null = null;
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
    private readonly bot: () => string | null,
  ) {
    messenger.onEvent((event) => this.#hear(event));
    // With another answer there may be more to see.
    messenger.permissions.granted.subscribe(() => this.#forgetAll());
    this.reading.subscribe(() => this.#read());
  }

  /** What is known about a video; asks for nothing. */
  of(eventId: string): Store<TalkState> {
    return this.#keep(eventId).store;
  }

  /** The video shows: what is said about it is fetched unless it is known. */
  show(eventId: string): void {
    this.#showing = eventId;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.load(eventId), SETTLE);
  }

  /** Fetches what is said about a video; never rejects. */
  load(eventId: string, anew = false): Promise<void> {
    const kept = this.#keep(eventId);
    if (!anew && performance.now() - kept.loadedAt < FRESH) return Promise.resolve();
    kept.loading ??= this.#load(eventId, kept).finally(() => {
      kept.loading = null;
    });
    return kept.loading;
  }

  /**
   * There is something new about an event, a video or what was said about one; null: perhaps about any. Clients tell us nothing of threads, and without
   * one we are told of nothing, so it is fetched.
   */
  stir(about: string | null): void {
    for (const [id, kept] of this.#kept) {
      const known = about === null || this.#has(kept.store.get().talk, about);
      if (about !== id && !known) continue;
      if (id === this.#showing || id === this.reading.get()) this.#fetch(id, kept, known ? 'all' : 'new');
      else kept.loadedAt = -Infinity;
    }
  }

  /** Fetches older replies; never rejects. */
  async earlier(eventId: string): Promise<void> {
    const kept = this.#keep(eventId);
    if (kept.next === null || kept.loading !== null) return;
    const load = this.#replies(eventId, kept.next).then(
      ({ events, next }) => {
        kept.next = next;
        this.#learn(kept, events, true);
        this.#sayMore(kept);
      },
      () => undefined,
    );
    kept.loading = load.finally(() => {
      kept.loading = null;
    });
    await kept.loading;
  }

  /** Adds the viewer's reaction; at once, and takes it back when it cannot be sent. An equal one is never sent twice. Never rejects. */
  async react(eventId: string, key: string): Promise<void> {
    const kept = this.#keep(eventId);
    // Unless all are known, there may be an equal one: homeservers refuse a second, over which some clients stumble for good.
    if (kept.loadedAt === -Infinity || kept.loading !== null) await this.load(eventId);
    if (this.#hasReacted(kept, key)) return;
    if (!this.messenger.permissions.has('seeReactions') || kept.store.get().status !== 'ready') { this.#tell({ kind: 'not-sent', eventId, why: null }); return; }
    const content = reactionContent(eventId, key);
    const local = this.#own(kept, 'm.reaction', content);
    try {
      const id = await this.#send('m.reaction', content);
      this.#arrived(kept, this.#event(id, 'm.reaction', content));
    } catch (error) {
      this.#change(kept, (talk) => forget(talk, [local]));
      // It may have been sent all the same; 400 is also what a second equal one gets.
      if (this.#isUncertain(error) || statusOf(error) === 400) await this.load(eventId, true);
      if (!this.#hasReacted(kept, key)) this.#tell({ kind: 'not-sent', eventId, why: whyNot(error) });
    }
    this.#change(kept, (talk) => forget(talk, [local]));
  }

  /** Takes the viewer's own reactions or replies back. Never rejects. */
  async takeBack(eventId: string, ids: readonly string[]): Promise<void> {
    const kept = this.#keep(eventId);
    const before = kept.store.get().talk;
    for (const redacts of ids.filter((id) => !isLocal(id))) {
      this.#learn(kept, [this.#event(this.#localId(), 'm.room.redaction', { redacts })]);
      try {
        await this.#send('m.room.redaction', { redacts });
      } catch (error) {
        this.#change(kept, (talk) => restore(talk, before, [redacts]));
        this.#tell({ kind: 'not-sent', eventId, why: whyNot(error) });
      }
    }
  }

  /** Sends a reply as the viewer. Rejects when it was not sent, with SeveralHosts where nothing is. */
  async reply(eventId: string, text: string): Promise<void> {
    const kept = this.#keep(eventId);
    const before = this.#nonces.get(eventId);
    const nonce = before?.text === text ? before.nonce : newNonce();
    this.#nonces.set(eventId, { text, nonce });
    this.#sent.add(nonce);
    let content = replyContent(kept.store.get().talk, text, nonce);
    try {
      const id = await this.#send('m.room.message', content).catch((error: unknown) => {
        // What belongs to a thread, or relates to something else, cannot begin one.
        if (statusOf(error) !== 400) throw error;
        content = plainReplyContent(eventId, text, nonce);
        return this.#send('m.room.message', content);
      });
      const event = this.#event(id, 'm.room.message', content);
      this.#remember(event);
      this.#arrived(kept, event);
      this.messenger.hosts.sent('sendText', () => this.#hasArrived(eventId, nonce));
    } catch (error) {
      if (!this.#isUncertain(error)) throw error;
      await this.load(eventId, true);
      if (!this.#isKnown(kept, nonce)) throw error;
    }
    this.#nonces.delete(eventId);
  }

  /** Calls `listener` with what happens; hands back the way to stop it. */
  onNews(listener: (news: News) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** An event is among what is said; a client tells of reactions by itself. */
  #has({ replies, reactions }: Talk, id: string): boolean {
    // Each person's part of a reaction that stands for several has the event's id and its own end.
    return replies.has(id) || (this.messenger.onBehalf && [...reactions.keys()].some((each) => each === id || each.startsWith(`${id}~`)));
  }

  #isKnown(kept: Kept, nonce: string): boolean {
    return [...kept.store.get().talk.replies.values()].some((reply) => reply.nonce === nonce);
  }

  /** Looks at all that is said about a video, and whether a reply is among it. */
  async #hasArrived(eventId: string, nonce: string): Promise<boolean> {
    await this.load(eventId, true);
    const kept = this.#keep(eventId);
    return kept.store.get().status === 'ready' && this.#isKnown(kept, nonce);
  }

  #send(type: string, content: object): Promise<string> {
    const sent = this.#sending.then(() => this.messenger.send(type, content));
    this.#sending = sent.catch(() => undefined);
    return sent;
  }

  #hasReacted(kept: Kept, key: string): boolean {
    const mine = reactionWith(reactionsOf(kept.store.get().talk, this.viewer()), key)?.mine ?? [];
    return mine.length > 0;
  }

  #fetch(eventId: string, kept: Kept, what: 'new' | 'all'): void {
    if (kept.wanted !== 'all') kept.wanted = what;
    if (kept.fetching) return;
    kept.fetching = true;
    void this.#fetchWanted(eventId, kept).finally(() => {
      kept.fetching = false;
    });
  }

  async #fetchWanted(eventId: string, kept: Kept): Promise<void> {
    while (kept.wanted !== 'nothing') {
      const all = kept.wanted === 'all';
      kept.wanted = 'nothing';
      // What is not known yet is no news.
      if (kept.loading !== null || kept.loadedAt === -Infinity) await this.load(eventId);
      const { talk: before } = kept.store.get();
      if (this.messenger.onBehalf) await this.load(eventId, true);
      else await this.#replies(eventId).then(({ events }) => this.#learn(kept, events, true), () => undefined);
      this.#tellNews(kept, before);
      if (all && !this.messenger.onBehalf) await this.load(eventId, true);
    }
  }

  /** What others said since is news; of reactions a client tells by itself. */
  #tellNews(kept: Kept, before: Talk): void {
    const { talk, unread } = kept.store.get();
    const { eventId } = talk;
    const viewer = this.viewer();
    const fresh = repliesOf(talk).filter(({ id, sender }) => !before.replies.has(id) && sender !== viewer);
    if (fresh.length > 0 && this.reading.get() !== eventId) kept.store.patch({ unread: unread + fresh.length });
    for (const reply of fresh) this.#tell({ kind: 'reply', eventId, reply });
    if (!this.messenger.onBehalf) return;
    for (const [id, { label, sender }] of talk.reactions) {
      if (!before.reactions.has(id) && sender !== viewer) this.#tell({ kind: 'reaction', eventId, label });
    }
  }

  /** The newest use is at the end; what was not used for the longest time goes first. */
  #keep(eventId: string): Kept {
    const kept = this.#kept.get(eventId) ?? {
      store: new Store<TalkState>({ talk: emptyTalk(eventId), status: 'loading', more: false, unread: 0 }),
      loadedAt: -Infinity, loading: null, next: null, heard: [], fetching: false, wanted: 'nothing',
    };
    this.#kept.delete(eventId);
    this.#kept.set(eventId, kept);
    const oldest = this.#kept.keys().next().value;
    if (this.#kept.size > MOST_VIDEOS && oldest !== undefined) this.#kept.delete(oldest);
    return kept;
  }

  #forgetAll(): void {
    this.#recent = null;
    for (const kept of this.#kept.values()) kept.loadedAt = -Infinity;
  }

  async #load(eventId: string, kept: Kept): Promise<void> {
    kept.heard = [];
    try {
      this.#recent ??= this.#readRecent();
      const [replies, reactions] = await Promise.all([this.#replies(eventId), this.#reactions(eventId), this.#recent]);
      const now = Date.now();
      const { gone } = kept.store.get().talk;
      const thread = learn({ ...emptyTalk(eventId), gone }, replies.events, { now, fromThread: true, bot: this.bot() });
      const talk = learn(thread, [...reactions, ...this.#loose, ...kept.heard], { now, bot: this.bot() });
      kept.next = replies.next;
      kept.loadedAt = performance.now();
      kept.store.patch({ talk, status: 'ready' });
      this.#lookForDoubles(talk);
      this.#sayMore(kept);
    } catch (error) {
      // Not to be asked again at each turn of a reel.
      if (statusOf(error) === 404) kept.loadedAt = performance.now();
      kept.store.patch({ status: statusOf(error) === 404 ? 'elsewhere' : 'failed' });
    }
  }

  async #replies(eventId: string, from?: string): Promise<{ events: readonly unknown[]; next: string | null }> {
    if (!this.messenger.permissions.has('seeMessages')) return { events: [], next: null };
    return this.messenger.relations(eventId, { relType: 'm.thread', type: 'm.room.message', limit: REPLIES_PAGE, ...(from !== undefined && { from }) });
  }

  async #reactions(eventId: string): Promise<unknown[]> {
    const events: unknown[] = [];
    let from: string | null = null;
    for (let page = 0; page < REACTIONS_PAGES && this.messenger.permissions.has('seeReactions'); page += 1) {
      const query = { relType: 'm.annotation', type: 'm.reaction', limit: REACTIONS_PAGE, ...(from !== null && { from }) };
      const found = await this.messenger.relations(eventId, query);
      events.push(...found.events.filter((event) => !this.#isMark(event)));
      from = found.next;
      if (from === null) break;
    }
    return events;
  }

  /** Plain replies are in no list of relations: the newest messages that the client has at hand tell of some. */
  async #readRecent(): Promise<void> {
    if (!this.messenger.permissions.has('seeMessages')) return;
    const events = await this.messenger.recent('m.room.message', MOST_LOOSE).catch(() => []);
    for (const event of events) this.#remember(event);
  }

  #remember(event: unknown): void {
    if (!isLoose(event)) return;
    this.#loose.push(event);
    if (this.#loose.length > MOST_LOOSE) this.#loose = this.#loose.slice(-MOST_LOOSE / 2);
  }

  #hear(event: unknown): void {
    this.#remember(event);
    const target = targetOf(event);
    if (target === null || this.#isMark(event)) return;
    for (const kept of this.#kept.values()) {
      const { talk, unread } = kept.store.get();
      const known = target === talk.eventId || talk.replies.has(target) || talk.reactions.has(target) || talk.edits.has(target);
      if (known) this.#arrived(kept, event);
      else if (kept.loading !== null) kept.heard.push(event);
      if (!known) continue;
      const news = this.#newsOf(talk, kept.store.get().talk);
      if (news?.kind === 'reply' && this.reading.get() !== talk.eventId) kept.store.patch({ unread: unread + 1 });
      if (news !== null) this.#tell(news);
    }
  }

  /** A reaction by which the bot says how far it is with a video. */
  #isMark(event: unknown): boolean {
    const bot = this.bot();
    return bot !== null && isMarkOf(event, bot);
  }

  /** What an event of somebody else's has added. */
  #newsOf(before: Talk, { eventId, replies, reactions }: Talk): News | null {
    const viewer = this.viewer();
    const reply = [...replies.values()].at(-1);
    if (reply !== undefined && !before.replies.has(reply.id) && reply.sender !== viewer) return { kind: 'reply', eventId, reply };
    const [id, reaction] = [...reactions].at(-1) ?? [];
    if (id === undefined || reaction === undefined || before.reactions.has(id) || reaction.sender === viewer) return null;
    return { kind: 'reaction', eventId, label: reaction.label };
  }

  #read(): void {
    const eventId = this.reading.get();
    if (eventId !== null) this.of(eventId).patch({ unread: 0 });
  }

  #own(kept: Kept, type: string, content: object): string {
    const id = this.#localId();
    this.#learn(kept, [this.#event(id, type, content)]);
    return id;
  }

  #localId(): string {
    this.#locals += 1;
    return `~${this.#locals}`;
  }

  #event(id: string, type: string, content: object): object {
    return ownEvent(id, type, this.viewer() ?? '', Date.now(), content);
  }

  #arrived(kept: Kept, event: unknown): void {
    if (kept.loading !== null) kept.heard.push(event);
    this.#learn(kept, [event]);
  }

  #learn(kept: Kept, events: readonly unknown[], fromThread = false): void {
    this.#change(kept, (talk) => learn(talk, events, { now: Date.now(), fromThread, bot: this.bot() }));
  }

  #change(kept: Kept, change: (talk: Talk) => Talk): void {
    const talk = change(kept.store.get().talk);
    kept.store.patch({ talk });
    this.#lookForDoubles(talk);
  }

  /** No response is no refusal: it may have been sent all the same; and so it may where our server got none from the homeserver. */
  #isUncertain(error: unknown): boolean {
    const status = statusOf(error);
    return !(error instanceof SeveralHosts) && (status === null || (this.messenger.onBehalf && status >= 500));
  }

  /** Where the client obeys several times without saying so, once is enough to know. */
  #lookForDoubles(talk: Talk): void {
    if (hasDoubles(talk, this.#sent, this.viewer())) this.messenger.hosts.sawDouble();
  }

  #sayMore(kept: Kept): void {
    kept.store.patch({ more: kept.next !== null && kept.store.get().talk.replies.size < MOST_REPLIES });
  }

  #tell(news: News): void {
    for (const listener of this.#listeners) listener(news);
  }
}

export function whyNot(error: unknown): NotSent {
  const status = statusOf(error);
  return status === 429 ? 'busy' : status === 403 ? 'refused' : null;
}

/** It has not reached the homeserver yet. */
export const isLocal = (id: string): boolean => id.startsWith('~');
