// Signing in a browser that has no Matrix client around it: a code that the viewer sends, and a secret that stays here.
import { asObject, DecodeError } from '../core/decode';
import { fetchJson } from './http';
import { openSession, type Proof } from './session';

export interface Code {
  readonly secret: string;
  /** The message that signs this browser in. */
  readonly command: string;
  /** Milliseconds since the epoch on our clock. */
  readonly expiresAt: number;
}

export class BrowserSignIn {
  readonly #key: string;
  /** What could not be stored lasts as long as the page. */
  #secret: string | null;

  constructor(private readonly roomId: string) {
    this.#key = `roomreel-sign-in ${roomId}`;
    this.#secret = stored((storage) => storage.getItem(this.#key));
  }

  get known(): boolean {
    return this.#secret !== null;
  }

  proof(): Proof {
    return { sign_in: this.#secret ?? '-' };
  }

  /** Requests a code. Rejects with ApiError or DecodeError. */
  async ask(): Promise<Code> {
    const { json, ahead } = await send('POST', { room_id: this.roomId });
    const { secret, command, expires_at } = asObject(json, 'sign-in');
    if (typeof secret !== 'string' || typeof command !== 'string' || typeof expires_at !== 'number') throw new DecodeError('sign-in');
    return { secret, command, expiresAt: expires_at - ahead };
  }

  /** True once the code was sent; the secret is kept from then on. Rejects with ApiError 401 when the code is too old, 403 when its sender is not in the room. */
  async look({ secret }: Code): Promise<boolean> {
    if ((await openSession(this.roomId, { sign_in: secret })) === null) return false;
    this.#secret = secret;
    stored((storage) => storage.setItem(this.#key, secret));
    return true;
  }

  clear(): void {
    this.#secret = null;
    stored((storage) => storage.removeItem(this.#key));
  }

  /** Ends the sign-in here and, unless the server cannot be reached, there. Never rejects. */
  async signOut(): Promise<void> {
    const secret = this.#secret;
    this.clear();
    if (secret !== null) await send('DELETE', { secret }).catch(() => undefined);
  }
}

function send(method: string, body: object): ReturnType<typeof fetchJson> {
  return fetchJson('/api/v1/sign-in', { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
}

/** Null where the browser lets us store nothing. */
function stored<T>(use: (storage: Storage) => T): T | null {
  try {
    return use(localStorage);
  } catch {
    return null;
  }
}
