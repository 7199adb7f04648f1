// What a signed-in user does in one room. Where it is encrypted, a device of theirs at this page's own server encrypts and decrypts.
import { newTransaction, type Account } from './account';
import type { Content, MatrixEvent, RelationsResponse } from './events';
import { Homeserver, MatrixError } from './homeserver';
import { upload } from './upload';

const ENCRYPTED = 'm.room.encrypted';

/** A file at the homeserver, as the content of a message has it. */
export type Uploaded = { readonly url: string } | { readonly file: Content };

export class RoomClient {
  readonly #server = new Homeserver('');

  constructor(
    readonly account: Account,
    readonly roomId: string,
    /** Whether the room is encrypted by now. */
    private readonly isEncrypted: () => boolean,
  ) {}

  /** Sends an event and returns its id; a repeated transaction id sends nothing twice. Reactions go in clear, as those of all clients. */
  async send(type: string, content: unknown, transactionId = newTransaction(), signal?: AbortSignal): Promise<string> {
    if (!this.isEncrypted() || type === 'm.reaction') return this.account.send(this.roomId, type, content, transactionId, signal);
    const request = { method: 'PUT', body: content, ...(signal && { signal }) } as const;
    const path = this.#device(`/send/${encodeURIComponent(type)}/${encodeURIComponent(transactionId)}`);
    return (await this.#server.request<{ event_id: string }>(path, request)).event_id;
  }

  redact(eventId: string, reason?: string): Promise<string> {
    return this.account.redact(this.roomId, eventId, reason);
  }

  /** Uploads a file, encrypted where the room is; `onProgress` gets the share that is sent (0 to 1). Rejects with MatrixError, or AbortError. */
  async upload(file: File, onProgress: (share: number) => void, signal: AbortSignal): Promise<Uploaded> {
    if (this.isEncrypted()) return upload<{ file: Content }>(this.#server, this.#device('/upload'), file, onProgress, signal);
    const { content_uri: url } = await upload<{ content_uri: string }>(this.account.homeserver, '/_matrix/media/v3/upload', file, onProgress, signal);
    return { url };
  }

  /** As `Account.relations`, decrypted. */
  async relations(eventId: string, relType: string | undefined, type: string | undefined, query: Readonly<Record<string, string>>): Promise<RelationsResponse> {
    const hidden = this.isEncrypted() && type !== undefined && type !== 'm.reaction';
    const response = await this.account.relations(this.roomId, eventId, [relType, hidden ? ENCRYPTED : type], query);
    const chunk = await this.readable(response.chunk);
    return { ...response, chunk: hidden ? chunk.filter((event) => event.type === type) : chunk };
  }

  /** The newest events of a type, newest first, decrypted. */
  async recent(type: string, limit: number): Promise<readonly MatrixEvent[]> {
    const types = this.isEncrypted() ? [type, ENCRYPTED] : [type];
    const events = await this.readable(await this.account.recent(this.roomId, types, limit));
    return events.filter((event) => event.type === type);
  }

  /** The events, decrypted as far as the device has the keys. */
  async readable(events: readonly MatrixEvent[]): Promise<readonly MatrixEvent[]> {
    if (!events.some(({ type }) => type === ENCRYPTED)) return events;
    try {
      return (await this.#server.request<{ events: readonly MatrixEvent[] }>(this.#device('/decrypt'), { method: 'POST', body: { events } })).events;
    } catch (error) {
      if (!(error instanceof MatrixError)) throw error;
      console.warn('Nothing could be decrypted:', error);
      return events;
    }
  }

  #device(path: string): string {
    return `/devices/${encodeURIComponent(this.account.userId)}/rooms/${encodeURIComponent(this.roomId)}${path}`;
  }
}
