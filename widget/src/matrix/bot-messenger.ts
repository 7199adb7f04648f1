// What is said from a browser that is signed in: our server has the bot send it, with the viewer's name, and says who said what. There is no client.
import { asObject, DecodeError } from '../core/decode';
import type { RoomAction } from '../core/model';
import { findEntry, type State } from '../core/state';
import { Store } from '../core/store';
import type { Messenger, Relations, RoomEvent } from './messenger';
import { newNonce } from '../browser/nonce';
import { ALL, type Permission } from './capabilities';
import { ApiError, fetchOk } from '../api/http';
import { sentByBot } from './sent-by-bot';
import type { Server } from '../api/server';

const ALWAYS: readonly Permission[] = ['seeMessages', 'seeReactions', 'seeRedactions'];
/** What the server lets the viewer do, as the permissions that a client would give for it. */
const FOR: Readonly<Record<RoomAction, readonly Permission[]>> = {
  comment: ['sendText'],
  react: ['sendReaction', 'sendRedaction'],
  send: ['sendVideo'],
};

/** What there may be in what the page sends. */
interface Content {
  readonly body?: string;
  readonly filename?: string;
  readonly redacts?: string;
  readonly 'chat.roomreel.nonce'?: string;
  readonly 'm.relates_to'?: { readonly event_id?: string; readonly key?: string; readonly 'm.in_reply_to'?: { readonly event_id?: string } };
}

export class BotMessenger implements Messenger {
  readonly onBehalf = true;
  readonly permissions: Messenger['permissions'];
  readonly hosts: Messenger['hosts'] = { several: new Store('no'), maySend: () => true, anyway: () => undefined, sawDouble: () => undefined, sent: () => undefined };
  /** Open requests for what is said, by the event of the video. */
  readonly #fetching = new Map<string, Promise<readonly RoomEvent[]>>();
  /** What the viewer can take back from here: the video that it is about, by the event's id. */
  readonly #own = new Map<string, string>();

  /** `server` returns null until the viewer is known. */
  constructor(
    private readonly state: Store<State>,
    private readonly server: () => Server | null,
  ) {
    const granted = new Store<ReadonlySet<Permission>>(new Set());
    const declined = new Store<ReadonlySet<Permission>>(new Set());
    const has = (...permissions: readonly Permission[]): boolean => permissions.every((each) => granted.get().has(each));
    const ask = (...permissions: readonly Permission[]): Promise<boolean> => Promise.resolve(has(...permissions));
    this.permissions = { granted, declined, asking: new Store(false), has, hadBefore: has, ask, reloads: false };
    const update = (): void => {
      const now = new Set([...ALWAYS, ...[...state.get().room?.can ?? []].flatMap((action) => FOR[action])]);
      if (now.size === granted.get().size && has(...now)) return;
      granted.set(now);
      declined.set(new Set(ALL.filter((each) => !now.has(each))));
    };
    state.subscribe(update);
    update();
  }

  send(type: string, content: Content, upload?: string): Promise<string> {
    const { body, filename, redacts, 'chat.roomreel.nonce': nonce = newNonce(), 'm.relates_to': relation } = content;
    if (redacts !== undefined) return this.#takeBack(redacts);
    if (upload !== undefined) return this.#sendVideo({ upload, nonce, ...(body !== filename && { title: body }) });
    const target = relation?.event_id ?? relation?.['m.in_reply_to']?.event_id ?? '';
    return type === 'm.reaction' ? this.#say(target, 'reactions', { key: relation?.key, nonce }) : this.#say(target, 'comments', { text: body, nonce });
  }

  mayRedact(eventId: string): boolean {
    return this.#own.has(eventId);
  }

  async relations(eventId: string, { type }: { type?: string }): Promise<Relations> {
    const fetching = this.#fetching.get(eventId) ?? this.#fetch(eventId).finally(() => this.#fetching.delete(eventId));
    this.#fetching.set(eventId, fetching);
    return { events: (await fetching).filter((event) => event.type === type), next: null };
  }

  /** Only clients pass on what is no relation. */
  recent(): Promise<readonly RoomEvent[]> {
    return Promise.resolve([]);
  }

  onEvent(): () => void {
    return () => undefined;
  }

  async #fetch(about: string): Promise<readonly RoomEvent[]> {
    const videoId = this.#videoOf(about);
    const { events } = asObject(await this.#known().call('GET', `/api/v1/videos/${videoId}/said`), 'said');
    if (!Array.isArray(events)) throw new DecodeError('said.events: not a list');
    return events.map((event: unknown) => this.#read(videoId, event));
  }

  async #say(about: string, what: 'comments' | 'reactions', said: object): Promise<string> {
    const videoId = this.#videoOf(about);
    const { event } = asObject(await this.#post(`/api/v1/videos/${videoId}/${what}`, said), 'said');
    return textOf(this.#read(videoId, event).event_id);
  }

  async #sendVideo(video: object): Promise<string> {
    return textOf(asObject(await this.#post(this.#known().roomPath('/videos'), video), 'sent').event_id);
  }

  async #post(path: string, body: object): Promise<unknown> {
    const response = await this.#known().call('POST', path, body);
    sentByBot.set('yes');
    return response;
  }

  async #takeBack(id: string): Promise<string> {
    const videoId = this.#own.get(id);
    if (videoId === undefined) throw new ApiError(403, 'M_FORBIDDEN');
    const path = `/api/v1/videos/${videoId}/said/${encodeURIComponent(id)}`;
    await this.#known().authorized((headers) => fetchOk(path, { method: 'DELETE', headers })).catch((error: unknown) => {
      // Somebody else took it away before.
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
    });
    return id;
  }

  #read(videoId: string, value: unknown): RoomEvent {
    const event = asObject(value, 'event');
    if (event.on_behalf === true && event.sender === this.state.get().viewer) this.#own.set(textOf(event.event_id), videoId);
    return event as unknown as RoomEvent;
  }

  #known(): Server {
    const server = this.server();
    if (server === null) throw new Error('The viewer is not known yet.');
    return server;
  }

  /** Throws ApiError 404 when the room has no such video any more. */
  #videoOf(eventId: string): string {
    const entry = findEntry(this.state.get().room, (video) => video.eventId === eventId);
    if (entry === null) throw new ApiError(404, 'M_NOT_FOUND');
    return entry.video.id;
  }
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new DecodeError('said: not a text');
  return value;
}
