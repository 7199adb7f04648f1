// Calls to our own server in the viewer's name.
import { fetchJson, fetchOk } from './http';
import type { SessionHolder } from './session';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export class Server {
  constructor(
    readonly roomId: string,
    private readonly session: SessionHolder,
  ) {}

  /** The path of what belongs to this room: `/api/v1/rooms/{room_id}` and `rest`. */
  roomPath(rest = ''): string {
    return `/api/v1/rooms/${encodeURIComponent(this.roomId)}${rest}`;
  }

  /** Sends JSON and returns the response's. Rejects with ApiError, ClientError or DecodeError. */
  async call(method: Method, path: string, body?: unknown): Promise<unknown> {
    return this.session.authorized(async (headers) => (await fetchJson(path, this.#init(method, headers, body))).json);
  }

  /** The same for a page that is going away: nobody waits for the response. */
  notify(method: Method, path: string, body?: unknown): void {
    this.session
      .authorized((headers) => fetchOk(path, { ...this.#init(method, headers, body), keepalive: true }))
      .catch(() => undefined);
  }

  /** Runs `call` with what authorizes a request that is made in another way; with a new session when it rejects with ApiError 401. */
  authorized<T>(call: (headers: Record<string, string>) => Promise<T>): Promise<T> {
    return this.session.authorized(call);
  }

  #init(method: Method, headers: Record<string, string>, body: unknown): RequestInit {
    if (body === undefined) return { method, headers };
    return { method, headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) };
  }
}
