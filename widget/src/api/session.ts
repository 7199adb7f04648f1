// The viewer's session with our server: begun by a proof of who asks, held in memory, renewed without a word when it ends.
import { asObject, decodeSession } from '../core/decode';
import type { Session } from '../core/model';
import type { OpenIdToken } from '../matrix/client';
import { ApiError, fetchJson } from './http';

/** A token of the viewer's homeserver, or the secret of a browser that was signed in. */
export type Proof = { readonly openid_token: OpenIdToken } | { readonly sign_in: string };

/** Opens a session; null while the code of a sign-in was not sent yet. Rejects with ApiError or DecodeError. */
export async function openSession(roomId: string, proof: Proof): Promise<Session | null> {
  const body = JSON.stringify({ ...proof, room_id: roomId });
  const { json } = await fetchJson('/api/v1/session', { method: 'POST', body, headers: { 'content-type': 'application/json' } });
  return asObject(json, 'session').pending === true ? null : decodeSession(json);
}

export class SessionHolder {
  #session: Promise<Session> | null = null;

  constructor(
    private readonly roomId: string,
    private readonly prove: () => Promise<Proof>,
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
    const session = await openSession(this.roomId, await this.prove());
    if (session === null) throw new ApiError(401, 'M_UNKNOWN_TOKEN');
    return session;
  }
}

function headers(session: Session): Record<string, string> {
  return { authorization: `Bearer ${session.token}` };
}
