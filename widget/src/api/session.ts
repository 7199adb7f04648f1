// The viewer's session with our server: begun by a proof of identity, held in memory and, where storage allows, for the next load of the frame; renewed without a word when it ends.
import { asObject, decodeSession } from '../core/decode';
import type { Session } from '../core/model';
import { ApiError, fetchJson, type JsonResponse } from './http';

/** By which the server fetches from the viewer's homeserver who they are ('OpenID' in the specification). */
export type OpenIdToken = Readonly<Record<'access_token' | 'matrix_server_name' | 'token_type', string>> & { readonly expires_in: number };

/** A token of the viewer's homeserver, or the secret of a browser that was signed in. */
export type Proof = { readonly openid_token: OpenIdToken } | { readonly sign_in: string };

/** Opens a session; null while the code of a sign-in was not sent yet. Rejects with ApiError or DecodeError. */
export async function openSession(roomId: string, proof: Proof): Promise<Session | null> {
  return (await open(roomId, proof, false))?.session ?? null;
}

async function open(roomId: string, proof: Proof, withRoom: boolean): Promise<Opened | null> {
  const body = JSON.stringify({ ...proof, room_id: roomId, with_overview: withRoom });
  const response = await fetchJson('/api/v1/session', { method: 'POST', body, headers: { 'content-type': 'application/json' } });
  const json = asObject(response.json, 'session');
  return json.pending === true ? null : { session: onOurClock(decodeSession(json), response), room: roomOf(response) };
}

const onOurClock = (session: Session, { ahead }: JsonResponse): Session => ({ ...session, ends: session.ends - ahead });

interface Opened {
  readonly session: Session;
  /** As if it had been fetched by itself; null where it was not. */
  readonly room: BroughtRoom | null;
}

/** The room's overview, and what of it is the viewer's alone. */
export type BroughtRoom = readonly [overview: JsonResponse, mine: JsonResponse];

/** A request to the viewer's homeserver came first: its duration says nothing about the way to our server. */
function roomOf({ json, ahead, sent, received }: JsonResponse): BroughtRoom | null {
  const { overview, mine, asked_at: askedAt } = asObject(json, 'session');
  if (typeof overview !== 'object' || overview === null || typeof mine !== 'object' || mine === null || typeof askedAt !== 'number') return null;
  const { now } = asObject(mine, 'mine');
  const worked = typeof now === 'number' ? Math.max(0, now - askedAt) : 0;
  const response = (part: unknown): JsonResponse => ({ json: part, ahead, sent: Math.min(received, sent + worked), received });
  return [response(overview), response(mine)];
}

/** Where a session outlives the page. */
export interface SessionStorage {
  /** A session that has not ended; `now`: milliseconds since the epoch. */
  session(now: number): Session | null;
  keepSession(session: Session | null): void;
}

export class SessionHolder {
  #session: Promise<Session> | null = null;
  /** What came with the first session, until somebody takes it; undefined before. */
  #room: BroughtRoom | null | undefined;

  constructor(
    private readonly roomId: string,
    private readonly prove: () => Promise<Proof>,
    /** Null where it does not outlive the page. */
    private readonly storage: SessionStorage | null = null,
  ) {
    const kept = storage?.session(Date.now()) ?? null;
    if (kept?.roomId !== roomId) return;
    this.#session = Promise.resolve(kept);
    this.#room = null;
  }

  /** The running session, or a new one. Rejects with ClientError, ApiError or DecodeError. */
  get(): Promise<Session> {
    this.#session ??= this.#begin().catch((error: unknown) => {
      this.#session = null;
      throw error;
    });
    return this.#session;
  }

  /** The room as it came with the session, once: saves the first frame a round trip. Rejects as `get` does. */
  async takeRoom(): Promise<BroughtRoom | null> {
    await this.get();
    const room = this.#room ?? null;
    this.#room = null;
    return room;
  }

  /** Runs `call` with the session's authorization; when the server no longer knows the session, once more with a new one. */
  async authorized<T>(call: (headers: Record<string, string>) => Promise<T>): Promise<T> {
    const session = this.get();
    try {
      return await call(headers(await session));
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      if (this.#session === session) this.#invalidate();
      return call(headers(await this.get()));
    }
  }

  async #begin(): Promise<Session> {
    const opened = await open(this.roomId, await this.prove(), this.#room === undefined);
    if (opened === null) throw new ApiError(401, 'M_UNKNOWN_TOKEN');
    // A renewed session comes in the middle of another call, which nobody follows by taking a room.
    this.#room ??= opened.room;
    this.storage?.keepSession(opened.session);
    return opened.session;
  }

  #invalidate(): void {
    this.#session = null;
    this.storage?.keepSession(null);
  }
}

function headers(session: Session): Record<string, string> {
  return { authorization: `Bearer ${session.token}` };
}
