// A take on its way to the room: uploads it, has the server prepare it, and posts the message; goes on where an earlier try failed.
import type { Server } from '../api/server';
import { newNonce } from '../browser/nonce';
import { withNonce } from '../core/nonce';
import type { Failure, Recording } from '../core/recording/model';
import type { Action } from '../core/recording/state';
import { conversionOf } from '../core/recording/trim';
import { withCaption } from '../core/recording/upload';
import type { Store } from '../core/store';
import { SeveralHosts, type Messenger } from '../matrix/messenger';
import { failureOf, Gone, post, prepare, type Delivery, type DeliveryEvents } from './delivery';
import { TusUpload } from './tus';
import type { UploadBuffer } from './upload-buffer';

/** Milliseconds for which it is said that the connection is back. */
const ANNOUNCED = 6_000;

export class Submission {
  #buffer: UploadBuffer | null = null;
  #upload: TusUpload | null = null;
  /** What the server was requested to make of the upload, and what it made. */
  #requested: string | null = null;
  #made: Delivery | null = null;
  #sending = new AbortController();
  readonly #events: DeliveryEvents = {
    percent: (percent) => this.dispatch({ type: 'percent', percent }),
    link: (lost, busy) => this.#link(lost, busy),
  };

  /** `server` returns null until the viewer is known. */
  constructor(
    private readonly server: () => Server | null,
    private readonly state: Store<Recording>,
    private readonly dispatch: (action: Action) => void,
  ) {}

  /** The bytes of the take; null while there is none. */
  get buffer(): UploadBuffer | null {
    return this.#buffer;
  }

  /** Uploads a take, also while it is still recorded. */
  begin(buffer: UploadBuffer): void {
    this.#buffer = buffer;
    this.#beginUpload();
  }

  /** Uploads the rest, has it prepared and posts it once that is `allowed`. Rejects with SubmissionFailed, and when it was aborted by `stop`. */
  async send(server: Server, messenger: Messenger, allowed: Promise<boolean>): Promise<Posted> {
    this.#sending = new AbortController();
    const { signal } = this.#sending;
    try {
      if (!messenger.hosts.maySend('m.room.message')) throw new SeveralHosts();
      const { content, upload, audioLeftOut } = await this.#prepared(server, signal);
      signal.throwIfAborted();
      this.dispatch({ type: 'step', step: 'post' });
      const eventId = await post(messenger, { content: withCaption(content, this.state.get().caption), upload }, allowed, this.#events, signal);
      return { eventId, audioLeftOut };
    } catch (error) {
      signal.throwIfAborted();
      const { step } = this.state.get();
      // A later try begins with a new upload, unless only the message is missing.
      if ((step !== 'post' || error instanceof Gone) && !(error instanceof SeveralHosts)) this.discardUpload();
      throw new SubmissionFailed(failureOf(step, error));
    }
  }

  /** Ends sending; the upload goes on. */
  stop(): void {
    this.#sending.abort();
  }

  /** Discards the upload, not the take: the next try begins with a new one. */
  discardUpload(): void {
    this.#upload?.discard();
    this.#forgetUpload();
  }

  /** Lets go of the take; what is uploaded stays at the server. */
  drop(): void {
    this.#buffer = null;
    this.#forgetUpload();
  }

  #forgetUpload(): void {
    this.#upload = null;
    this.#requested = null;
    this.#made = null;
  }

  #beginUpload(): TusUpload {
    const [server, buffer, take] = [this.server(), this.#buffer, this.state.get().take];
    if (server === null || buffer === null || take === null) throw new Error('There is nothing to upload, or nowhere to.');
    const upload = new TusUpload(server, buffer, take.name, {
      sent: (bytes) => this.dispatch({ type: 'uploaded', bytes }),
      link: (lost, busy) => this.#link(lost, busy),
    });
    this.#upload = upload;
    // Refused while it is still recorded: sending tries again, and then says so.
    upload.done.catch(() => {
      if (this.#upload === upload && this.state.get().phase !== 'sending') this.#upload = null;
    });
    return upload;
  }

  async #prepared(server: Server, signal: AbortSignal): Promise<Delivery> {
    const conversion = conversionOf(this.state.get());
    const requested = JSON.stringify(conversion);
    if (this.#made !== null && this.#requested === requested) return this.#made;
    // The server makes one thing of an upload.
    if (this.#requested !== null && this.#requested !== requested) this.discardUpload();
    const id = await (this.#upload ?? this.#beginUpload()).done;
    signal.throwIfAborted();
    this.dispatch({ type: 'step', step: 'prepare' });
    this.#requested = requested;
    const made = await prepare(server, id, conversion, this.#events, signal);
    // One nonce for one video: a further try is for the same message.
    this.#made = { ...made, content: withNonce(made.content, newNonce()) };
    return this.#made;
  }

  #link(lost: boolean, busy = false): void {
    const { resumed } = this.state.get();
    this.dispatch({ type: 'link', lost, busy });
    if (resumed || !this.state.get().resumed) return;
    setTimeout(() => this.dispatch({ type: 'announced' }), ANNOUNCED);
  }
}

/** The message in the room. */
export interface Posted {
  readonly eventId: string;
  readonly audioLeftOut: Delivery['audioLeftOut'];
}

export class SubmissionFailed extends Error {
  override readonly name = 'SubmissionFailed';

  constructor(readonly failure: Failure) {
    super(failure.code);
  }
}
