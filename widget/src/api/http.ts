// JSON over fetch with a time limit, and every way to fail as one kind of error.
import { parseRetryAfter } from '../core/backoff';
import { asObject } from '../core/decode';

/** Milliseconds after which a silent server counts as away. */
const PATIENCE = 15_000;

/** `status` 0 means that there was no response; `retryAfter` are the milliseconds of its Retry-After, where it has one. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly retryAfter: number | null;

  constructor(
    readonly status: number,
    readonly errcode: string,
    { retryAfter = null, ...options }: ErrorOptions & { retryAfter?: number | null } = {},
  ) {
    super(`${status} ${errcode}`, options);
    this.retryAfter = retryAfter;
  }
}

/** Milliseconds of the server's Retry-After; null where there is none. */
export function retryAfterOf(error: unknown): number | null {
  return error instanceof ApiError ? error.retryAfter : null;
}

/** True for what may be different at the next try: no response, or one by which the server only says that it cannot at present. */
export function isTransient(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status === 408 || error.status === 429 || error.status >= 500);
}

/** What a response with an error says; `header` reads one of its headers. */
export function refusal(status: number, errcode: string, header: (name: string) => string | null): ApiError {
  const asks = status === 429 || status === 503;
  return new ApiError(status, errcode, { retryAfter: asks ? parseRetryAfter(header('retry-after'), Date.now()) : null });
}

export interface JsonResponse {
  readonly json: unknown;
  /** Milliseconds by which the server's clock is ahead of ours. */
  readonly ahead: number;
  /** When the request was sent and when the response began to arrive: milliseconds on our steady clock. */
  readonly sent: number;
  readonly received: number;
}

/** Fetches JSON from our own server. Rejects with ApiError. */
export async function fetchJson(path: string, init: RequestInit = {}): Promise<JsonResponse> {
  const sent = performance.now();
  const response = await fetchOk(path, { ...init, signal: AbortSignal.timeout(PATIENCE) });
  const received = performance.now();
  const json: unknown = await response.json().catch((cause: unknown) => {
    throw new ApiError(response.status, 'M_NOT_JSON', { cause });
  });
  const date = Date.parse(response.headers.get('date') ?? '');
  return { json, ahead: Number.isNaN(date) ? 0 : date - Date.now(), sent, received };
}

/** Fetches and refuses every status that is not a success. Rejects with ApiError. */
export async function fetchOk(path: string, init: RequestInit): Promise<Response> {
  const response = await fetch(path, { cache: 'no-store', credentials: 'omit', ...init }).catch((cause: unknown) => {
    throw new ApiError(0, 'M_NO_ANSWER', { cause });
  });
  if (!response.ok) throw refusal(response.status, await errcodeOf(response), (name) => response.headers.get(name));
  return response;
}

async function errcodeOf(response: Response): Promise<string> {
  try {
    const { errcode } = asObject(await response.json(), 'error');
    return typeof errcode === 'string' ? errcode : 'M_UNKNOWN';
  } catch {
    return 'M_UNKNOWN';
  }
}
