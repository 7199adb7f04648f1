// What this user is sending: one after the other, so that the order stays; a failed one waits for its sender's retry.
import { Store } from '../../src/core/store';
import { newTransaction } from './account';
import type { Entry } from './entry';
import type { RoomClient, Uploaded } from './room-client';
import { mimetypeOf } from './upload';

export interface Draft {
  /** Also the transaction id, so that a repeated request sends nothing twice. */
  readonly id: string;
  readonly text: string;
  readonly file: File | null;
  readonly state: 'waiting' | 'uploading' | 'sending' | 'failed';
  /** Share of the file that is sent, 0 to 1. */
  readonly progress: number;
  readonly error: string | null;
  /** The file once it is uploaded. */
  readonly uploaded: Uploaded | null;
  /** The event's id once it is sent. */
  readonly eventId: string | null;
}

export class Outbox {
  readonly drafts = new Store<readonly Draft[]>([]);
  readonly #cancels = new Map<string, AbortController>();
  #queue: Promise<void> = Promise.resolve();
  #arrived: ReadonlySet<string> = new Set();

  constructor(private readonly client: RoomClient) {}

  sendText(text: string): void {
    this.#add({ text, file: null });
  }

  sendFile(file: File): void {
    this.#add({ text: file.name, file });
  }

  retry(id: string): void {
    this.#patch(id, { state: 'waiting', progress: 0, error: null });
    this.#enqueue(id);
  }

  /** Cancels and deletes a draft. */
  discard(id: string): void {
    this.#cancels.get(id)?.abort();
    this.drafts.set(this.drafts.get().filter((draft) => draft.id !== id));
  }

  discardAll(): void {
    for (const { id } of this.drafts.get()) this.discard(id);
  }

  /** Deletes the drafts that have arrived in the timeline. */
  settle(entries: readonly Entry[]): void {
    // An event of the person's device that encrypts has no transaction id for this page.
    this.#arrived = new Set(entries.flatMap(({ id, transaction }) => (transaction === null ? [id] : [id, transaction])));
    this.#settle();
  }

  #settle(): void {
    const open = this.drafts.get().filter(({ id, eventId }) => !this.#arrived.has(id) && (eventId === null || !this.#arrived.has(eventId)));
    if (open.length !== this.drafts.get().length) this.drafts.set(open);
  }

  #add(content: Pick<Draft, 'text' | 'file'>): void {
    const id = newTransaction();
    this.drafts.set([...this.drafts.get(), { ...content, id, state: 'waiting', progress: 0, error: null, uploaded: null, eventId: null }]);
    this.#enqueue(id);
  }

  #enqueue(id: string): void {
    this.#queue = this.#queue.then(() => this.#send(id));
  }

  async #send(id: string): Promise<void> {
    const draft = this.drafts.get().find((one) => one.id === id);
    if (draft === undefined) return;
    const cancel = new AbortController();
    this.#cancels.set(id, cancel);
    try {
      const content = draft.file === null ? { msgtype: 'm.text', body: draft.text } : await this.#fileContent(draft, draft.file, cancel.signal);
      this.#patch(id, { state: 'sending', progress: 1 });
      this.#patch(id, { eventId: await this.client.send('m.room.message', content, id, cancel.signal) });
      this.#settle();
    } catch (error) {
      this.#patch(id, { state: 'failed', error: error instanceof Error ? error.message : String(error) });
    } finally {
      this.#cancels.delete(id);
    }
  }

  async #fileContent(draft: Draft, file: File, signal: AbortSignal): Promise<object> {
    this.#patch(draft.id, { state: 'uploading' });
    const onProgress = (progress: number): void => this.#patch(draft.id, { progress });
    const uploaded = draft.uploaded ?? (await this.client.upload(file, onProgress, signal));
    this.#patch(draft.id, { uploaded });
    const mimetype = mimetypeOf(file);
    const msgtype = mimetype.startsWith('video/') ? 'm.video' : 'm.file';
    return { msgtype, body: file.name, filename: file.name, ...uploaded, info: { mimetype, size: file.size } };
  }

  #patch(id: string, change: Partial<Draft>): void {
    this.drafts.set(this.drafts.get().map((draft) => (draft.id === id ? { ...draft, ...change } : draft)));
  }
}
