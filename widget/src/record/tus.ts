// An upload by tus 1.0 (creation, creation-defer-length, termination) that begins before its length is known and outlives lost connections.
import { ApiError, fetchOk, isTransient, refusal, retryAfterOf } from '../api/http';
import type { Server } from '../api/server';
import { Pause } from '../browser/pause';
import { pauseBefore } from '../core/backoff';
import type { Limits } from '../core/recording/model';
import type { UploadBuffer } from './upload-buffer';

export const UPLOADS = '/api/v1/uploads';
const VERSION = { 'tus-resumable': '1.0.0' } as const;

/** Bytes of one request at most: after a lost connection no more than these are sent twice. */
const MOST = 8 * 1024 * 1024;
/** Milliseconds without any progress after which a connection counts as lost. */
const SILENCE = 20_000;
/** Milliseconds between two tries at most: somebody is waiting. */
const LONGEST_PAUSE = 8_000;

export interface UploadEvents {
  /** So many bytes are on their way or there. */
  sent(bytes: number): void;
  /** The connection is lost, or there again; `busy`: the server responds, with Retry-After. */
  link(lost: boolean, busy?: boolean): void;
}

interface TusResponse {
  readonly status: number;
  readonly header: (name: string) => string | null;
}

/** Sends one request; XMLHttpRequest, because fetch does not report an upload's progress. Rejects with ApiError. */
function request(method: string, path: string, headers: Record<string, string>, body: Blob | null, signal: AbortSignal, onSent: (bytes: number) => void): Promise<TusResponse> {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    xhr.open(method, path);
    for (const [name, value] of Object.entries({ ...VERSION, ...headers })) xhr.setRequestHeader(name, value);
    let timer = setTimeout(() => xhr.abort(), SILENCE);
    xhr.upload.onprogress = ({ loaded }) => {
      clearTimeout(timer);
      timer = setTimeout(() => xhr.abort(), SILENCE);
      onSent(loaded);
    };
    const abort = (): void => xhr.abort();
    signal.addEventListener('abort', abort, { once: true });
    xhr.onloadend = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      if (xhr.status >= 200 && xhr.status < 300) resolve({ status: xhr.status, header: (name) => xhr.getResponseHeader(name) });
      else reject(refusal(xhr.status, errcodeOf(xhr.responseText), (name) => xhr.getResponseHeader(name)));
    };
    xhr.send(body);
  });
}

function errcodeOf(body: string): string {
  return /"errcode":\s*"(\w+)"/.exec(body)?.[1] ?? 'M_UNKNOWN';
}

/** What the server takes in the viewer's room, by `OPTIONS`; null where it does not response. */
export async function fetchLimits(server: Server): Promise<Limits | null> {
  const none = new AbortController().signal;
  const response = await server.authorized((headers) => request('OPTIONS', UPLOADS, headers, null, none, () => undefined)).catch(() => null);
  if (response === null) return null;
  const number = (name: string): number | null => {
    const value = Number(response.header(name) ?? NaN);
    return Number.isFinite(value) && value > 0 ? value : null;
  };
  return { size: number('tus-max-size'), duration: number('upload-max-duration') };
}

/** Base64 of UTF-8, as Upload-Metadata wants it. */
function encoded(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

export class TusUpload {
  readonly #stop = new AbortController();
  #path: string | null = null;
  readonly #pause = new Pause();
  /** Resolves with the upload's id once the server has all of it. Rejects with ApiError when it refuses. */
  readonly done: Promise<string>;

  constructor(
    private readonly server: Server,
    private readonly buffer: UploadBuffer,
    private readonly name: string,
    private readonly events: UploadEvents,
  ) {
    this.done = this.#run();
    // Whoever sends it hears of it; until then nobody listens.
    this.done.catch(() => undefined);
  }

  /** Ends it and lets the server forget what it has; also from a page that is going away. */
  discard(): void {
    this.#stop.abort();
    const path = this.#path;
    if (path === null) return;
    const remove = (headers: Record<string, string>): Promise<Response> => fetchOk(path, { method: 'DELETE', headers: { ...VERSION, ...headers }, keepalive: true });
    this.server.authorized(remove).catch(() => undefined);
  }

  async #run(): Promise<string> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#send(() => (attempt = 0));
      } catch (error) {
        if (this.#stop.signal.aborted || !isResumable(error)) throw error;
        const retryAfter = retryAfterOf(error);
        this.events.link(true, retryAfter !== null);
        await this.#pause.wait(pauseBefore(attempt, Math.random(), retryAfter, LONGEST_PAUSE), { signal: this.#stop.signal });
      }
    }
  }

  /** Sends from where the server is to the end. */
  async #send(onProgress: () => void): Promise<string> {
    let offset = this.#path === null ? await this.#create() : await this.#offset(this.#path);
    const path = this.#path ?? '';
    this.events.link(false);
    this.events.sent(offset);
    for (let complete = false; !complete;) {
      const piece = await this.buffer.read(offset, MOST);
      this.#stop.signal.throwIfAborted();
      // Only the last request can name the length: before, nobody knows it.
      complete = this.buffer.ended && offset + piece.size === this.buffer.size;
      offset = await this.#append(path, offset, piece, complete);
      onProgress();
    }
    return path.slice(path.lastIndexOf('/') + 1);
  }

  async #create(): Promise<number> {
    const length = this.buffer.ended ? { 'upload-length': String(this.buffer.size) } : { 'upload-defer-length': '1' };
    const metadata = `filename ${encoded(this.name)},filetype ${encoded(this.buffer.type)}`;
    const { header } = await this.#request('POST', UPLOADS, { ...length, 'upload-metadata': metadata });
    const { pathname } = new URL(header('location') ?? '', new URL(UPLOADS, location.origin));
    if (!pathname.startsWith(`${UPLOADS}/`)) throw new ApiError(502, 'M_BAD_LOCATION');
    this.#path = pathname;
    return 0;
  }

  async #offset(path: string): Promise<number> {
    const { header } = await this.#known(this.#request('HEAD', path, {}));
    return offsetIn(header);
  }

  async #append(path: string, offset: number, piece: Blob, last: boolean): Promise<number> {
    const headers = {
      'content-type': 'application/offset+octet-stream',
      'upload-offset': String(offset),
      ...(last && { 'upload-length': String(this.buffer.size) }),
    };
    const { header } = await this.#known(this.#request('PATCH', path, headers, piece, (bytes) => this.events.sent(offset + bytes)));
    const now = offsetIn(header);
    this.events.sent(now);
    return now;
  }

  /** What the server has forgotten (it keeps nothing for ever) begins anew: all bytes are still here. */
  async #known(response: Promise<TusResponse>): Promise<TusResponse> {
    return response.catch((error: unknown) => {
      if (!(error instanceof ApiError) || (error.status !== 404 && error.status !== 410)) throw error;
      this.#path = null;
      throw new ApiError(409, error.errcode, { cause: error });
    });
  }

  #request(method: string, path: string, headers: Record<string, string>, body: Blob | null = null, onSent: (bytes: number) => void = () => undefined): Promise<TusResponse> {
    const { signal } = this.#stop;
    return this.server.authorized((authorization) => request(method, path, { ...authorization, ...headers }, body, signal, onSent));
  }
}

function offsetIn(header: TusResponse['header']): number {
  const offset = Number(header('upload-offset') ?? NaN);
  if (!Number.isInteger(offset) || offset < 0) throw new ApiError(502, 'M_BAD_OFFSET');
  return offset;
}

/**
 * True for what may be resumed: no connection, a busy server, another offset than ours (409), a request in progress (423), one that came too early (425).
 * Not for a full disk (507), nor for somebody's too many uploads (429 without Retry-After): these take minutes to pass, or their own hand.
 */
export function isResumable(error: unknown): boolean {
  if (!(error instanceof ApiError) || error.status === 507 || (error.errcode === 'M_LIMIT_EXCEEDED' && error.retryAfter === null)) return false;
  return isTransient(error) || [409, 423, 425].includes(error.status);
}
