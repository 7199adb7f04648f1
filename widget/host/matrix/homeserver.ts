// Requests to the homeserver. Source: Matrix client-server API v1.11.

/** The homeserver refused (`status`, `errcode`, its own message), or could not be reached (`status` 0). */
export class MatrixError extends Error {
  override readonly name = 'MatrixError';

  constructor(
    readonly status: number,
    readonly errcode: string,
    message: string,
    /** Milliseconds to wait before a retry (`retry_after_ms`); 0 when it gives none. */
    readonly retryAfter = 0,
  ) {
    super(message);
  }
}

/** Longest `retry_after_ms` that is waited for; a longer one is an error. */
const LONGEST_WAIT = 15_000;

/** The error that a response's status and JSON body describe. */
export function errorOf(status: number, body: unknown): MatrixError {
  const { errcode, error, retry_after_ms: wait } = (body ?? {}) as Record<string, unknown>;
  const message = typeof error === 'string' && error !== '' ? error : `The homeserver responded with ${status}.`;
  return new MatrixError(status, typeof errcode === 'string' ? errcode : 'M_UNKNOWN', message, typeof wait === 'number' ? wait : 0);
}

export const unreachable = (): MatrixError => new MatrixError(0, 'UNREACHABLE', 'The homeserver cannot be reached.');

export interface Request {
  readonly method?: 'GET' | 'POST' | 'PUT';
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

export class Homeserver {
  readonly baseUrl: string;

  constructor(
    baseUrl: string,
    readonly accessToken: string | null = null,
  ) {
    this.baseUrl = baseUrl.replace(/\/+$/, '');
  }

  url(path: string, query: Readonly<Record<string, string>> = {}): string {
    const parameters = new URLSearchParams(query).toString();
    return `${this.baseUrl}${path}${parameters === '' ? '' : `?${parameters}`}`;
  }

  /** Calls `path` (already escaped) and returns the response's JSON. Waits after a 429, as the server requests. Rejects with MatrixError, or AbortError. */
  async request<T>(path: string, request: Request = {}): Promise<T> {
    try {
      return await this.#once<T>(path, request);
    } catch (error) {
      const wait = error instanceof MatrixError && error.status === 429 ? error.retryAfter : 0;
      if (wait === 0 || wait > LONGEST_WAIT) throw error;
      await new Promise((resolve) => setTimeout(resolve, wait));
      return this.#once<T>(path, request);
    }
  }

  async #once<T>(path: string, { method = 'GET', query, body, signal }: Request): Promise<T> {
    const headers = new Headers();
    if (this.accessToken !== null) headers.set('Authorization', `Bearer ${this.accessToken}`);
    if (body !== undefined) headers.set('Content-Type', 'application/json');
    const response = await fetch(this.url(path, query), {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      signal: signal ?? null,
    }).catch((error: unknown) => {
      if (signal?.aborted === true) throw error;
      throw unreachable();
    });
    const json: unknown = await response.json().catch(() => null);
    if (!response.ok) throw errorOf(response.status, json);
    return json as T;
  }
}
