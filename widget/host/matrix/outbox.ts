// What this user is sending: one after the other, so that the order stays; a failed one waits for its sender's retry.
import { Store } from '../../src/core/store';
import { newTransaction, type Account } from './account';
import type { Entry } from './entry';
import { mimetypeOf, upload } from './upload';

export interface Draft {
  /** Also the transaction id, so that a repeated request sends nothing twice. */
  readonly id: string;
  readonly text: string;
  readonly file: File | null;
  readonly state: 'waiting' | 'uploading' | 'sending' | 'failed';
  /** Share of the file that is sent, 0 to 1. */
  readonly progress: number;
  readonly error: string | null;
  /** Where the file is once it is uploaded. */
  readonly uri: string | null;
}

export class Outbox {
  readonly drafts = new Store<readonly Draft[]>([]);
  readonly #cancels = new Map<string, AbortController>();
  #queue: Promise<void> = Promise.resolve();

  constructor(
    private readonly account: Account,
    private readonly roomId: string,
  ) {}

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
    const arrived = new Set(entries.map(({ transaction }) => transaction));
    const open = this.drafts.get().filter(({ id }) => !arrived.has(id));
    if (open.length !== this.drafts.get().length) this.drafts.set(open);
  }

  #add(content: Pick<Draft, 'text' | 'file'>): void {
    const id = newTransaction();
    this.drafts.set([...this.drafts.get(), { ...content, id, state: 'waiting', progress: 0, error: null, uri: null }]);
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
      await this.account.send(this.roomId, 'm.room.message', content, id, cancel.signal);
    } catch (error) {
      this.#patch(id, { state: 'failed', error: error instanceof Error ? error.message : String(error) });
    } finally {
      this.#cancels.delete(id);
    }
  }

  async #fileContent(draft: Draft, file: File, signal: AbortSignal): Promise<object> {
    this.#patch(draft.id, { state: 'uploading' });
    const onProgress = (progress: number): void => this.#patch(draft.id, { progress });
    const uri = draft.uri ?? (await upload(this.account.homeserver, file, onProgress, signal));
    this.#patch(draft.id, { uri });
    const mimetype = mimetypeOf(file);
    const msgtype = mimetype.startsWith('video/') ? 'm.video' : 'm.file';
    return { msgtype, body: file.name, filename: file.name, url: uri, info: { mimetype, size: file.size } };
  }

  #patch(id: string, change: Partial<Draft>): void {
    this.drafts.set(this.drafts.get().map((draft) => (draft.id === id ? { ...draft, ...change } : draft)));
  }
}
