// What follows an upload: the server makes it ready, and the room gets the message.
import { ApiError, retryAfterOf } from '../api/http';
import type { Server } from '../api/server';
import { sleep } from '../browser/pause';
import { pauseBefore } from '../core/backoff';
import type { Failure, Step } from '../core/recording/model';
import type { conversionOf } from '../core/recording/trim';
import { decodePrepared, mediaUrl, type Prepared } from '../core/recording/upload';
import { SeveralHosts, type Messenger } from '../matrix/messenger';
import { isResumable, UPLOADS } from './tus';

/** Milliseconds between two questions how far it is, and between two tries without a connection at most. */
const PAUSE = 700;
const LONGEST_PAUSE = 8_000;

export type Content = Readonly<Record<string, unknown>>;

/** The server looked at the file and cannot use it; `code` is one of the catalogue's `failure-…`. */
export class MediaRejected extends Error {
  override readonly name = 'MediaRejected';

  constructor(readonly code: string) {
    super(code);
  }
}

/** The viewer does not let us send it; nothing was sent. */
class Declined extends Error {
  override readonly name = 'Declined';
}

/** The server does not have the upload any more, or not as we know it; nothing was sent. */
export class Gone extends Error {
  override readonly name = 'Gone';
}

export interface DeliveryEvents {
  percent(percent: number | null): void;
  link(lost: boolean, busy?: boolean): void;
}

/** Repeats `call` until there is a response. Rejects with what does not pass by itself. */
async function insist<T>(call: () => Promise<T>, events: DeliveryEvents, signal: AbortSignal): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      const response = await call();
      events.link(false);
      return response;
    } catch (error) {
      if (!isResumable(error)) throw error;
      const retryAfter = retryAfterOf(error);
      events.link(true, retryAfter !== null);
      await sleep(pauseBefore(attempt, Math.random(), retryAfter, LONGEST_PAUSE));
      signal.throwIfAborted();
    }
  }
}

/** The message's content with the upload that its media come from, and what is missing of what was heard. */
export interface Delivery {
  readonly content: Content;
  readonly upload: string;
  readonly audioLeftOut: Prepared['audioLeftOut'];
}

/** Has the server trim and convert it; resolves with what is to be sent. Rejects with ApiError, MediaRejected or DecodeError. */
export async function prepare(server: Server, id: string, conversion: ReturnType<typeof conversionOf>, events: DeliveryEvents, signal: AbortSignal): Promise<Delivery> {
  const path = `${UPLOADS}/${id}`;
  const finish = (): Promise<unknown> =>
    server.call('POST', `${path}/finish`, conversion).catch((error: unknown) => {
      // It has not all of it after all: nothing that passes by itself.
      throw error instanceof ApiError && error.status === 409 ? new MediaRejected('internal') : error;
    });
  await insist(finish, events, signal);
  for (;;) {
    signal.throwIfAborted();
    const { state, percent, failure, content, audioLeftOut } = decodePrepared(await insist(() => server.call('GET', path), events, signal));
    if (state === 'failed') throw new MediaRejected(failure ?? 'failed');
    if (state === 'ready' && content !== null) return { content, upload: id, audioLeftOut };
    events.percent(percent);
    await sleep(PAUSE);
  }
}

/**
 * Sends the message in the viewer's name, once they allow it. A client may be slower than its own response: whoever sees the message in the room takes
 * that as one. Where our server sends it, it is retried until there is a response.
 */
export async function post(messenger: Messenger, { content, upload }: Pick<Delivery, 'content' | 'upload'>, allowed: Promise<boolean>, events: DeliveryEvents, signal: AbortSignal): Promise<string> {
  if (!(await allowed)) throw messenger.onBehalf ? new ApiError(403, 'M_FORBIDDEN') : new Declined();
  let stop: () => void = () => undefined;
  const heard = new Promise<string>((resolve) => {
    stop = messenger.onEvent((event) => {
      if (event.type === 'm.room.message' && mediaUrl(event.content) === mediaUrl(content)) resolve(event.event_id);
    });
  });
  const send = (): Promise<string> => messenger.send('m.room.message', content, upload).catch((error: unknown) => {
    throw error instanceof ApiError && [404, 409, 410].includes(error.status) ? new Gone() : error;
  });
  return Promise.race([insist(send, events, signal), heard]).finally(stop);
}

/** A failure in words that the catalogue has. */
export function failureOf(step: Step, error: unknown): Failure {
  if (error instanceof MediaRejected) return { step, code: error.code };
  if (error instanceof SeveralHosts) return { step, code: 'several' };
  if (error instanceof Declined) return { step, code: 'declined' };
  if (step === 'prepare') return { step, code: 'internal' };
  const { status, errcode } = error instanceof ApiError ? error : { status: 0, errcode: '' };
  if (errcode === 'M_USER_LIMIT_EXCEEDED') return { step, code: 'user-limit' };
  if (errcode === 'M_RESOURCE_LIMIT_EXCEEDED' && status === 403) return { step, code: 'room-limit' };
  if (step === 'post') return { step, code: status === 403 ? 'refused' : 'post' };
  const codes: Record<number, string> = { 401: 'refused', 403: 'refused', 404: 'unavailable', 405: 'unavailable', 413: 'too-large', 429: 'busy', 507: 'full' };
  return { step, code: codes[status] ?? 'upload' };
}
