// The viewer's session with our server: begun by an OpenID token, held in memory, renewed without a word when it ends.
import { decodeSession } from '../core/decode';
import type { Session } from '../core/model';
import type { OpenIdToken } from '../matrix/client';
import { ApiError, fetchJson } from './http';

export class SessionHolder {
  #session: Promise<Session> | null = null;

  constructor(
    private readonly roomId: string,
    private readonly identify: () => Promise<OpenIdToken>,
  ) {}

  /** The running session, or a new one. Rejects with ClientError, ApiError or DecodeError. */
  get(): Promise<Session> {
    this.#session ??= this.#begin().catch((error: unknown) => {
      this.#session = null;
      throw error;
    });
    return this.#session;
  }

  /** Runs `call` with the session's authorization; when the server no longer knows the session, once more with a new one. */
  async authorized<T>(call: (headers: Record<string, string>) => Promise<T>): Promise<T> {
    const session = this.get();
    try {
      return await call(headers(await session));
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      if (this.#session === session) this.#session = null;
      return call(headers(await this.get()));
    }
  }

  async #begin(): Promise<Session> {
    const body = JSON.stringify({ openid_token: await this.identify(), room_id: this.roomId });
    const { json } = await fetchJson('/api/v1/session', { method: 'POST', body, headers: { 'content-type': 'application/json' } });
    return decodeSession(json);
  }
}

function headers(session: Session): Record<string, string> {
  return { authorization: `Bearer ${session.token}` };
}
