// Stores a viewer's decisions in their client and their session, where the browser lets a frame of another site store something.
import { asObject } from '../core/decode';
import type { Session } from '../core/model';
import type { Permission } from './capabilities';

/** What the viewer decided on each request; what is in neither was never requested. */
export interface Decisions {
  readonly granted: readonly Permission[];
  readonly declined: readonly Permission[];
  /** The client granted it the last time without a prompt: it stores decisions itself. */
  readonly silent: boolean;
}

const NOTHING: Decisions = { granted: [], declined: [], silent: false };

/** What the page has loaded itself anew for. */
export interface Wish {
  /** What is to be requested in the handshake. */
  readonly permissions: readonly Permission[];
  /** The viewer wants one message sent although it may arrive several times. */
  readonly once: boolean;
  /** Where they were; read by who made it. */
  readonly situation: Readonly<Record<string, unknown>>;
}

/** By the client, for one widget and one viewer: another account in the same browser is somebody else. */
export class WidgetStorage {
  readonly #key: string;
  /** Of all that we are to this client. */
  readonly #client: string;

  constructor(clientOrigin: string, widgetId: string, roomId: string, viewer: string | null) {
    this.#client = `roomreel ${clientOrigin}`;
    this.#key = `roomreel ${JSON.stringify([clientOrigin, widgetId, roomId, viewer])}`;
  }

  decisions(known: readonly Permission[]): Decisions {
    return read(() => localStorage, `${this.#key} answers`, (json) => {
      const some = (list: unknown): Permission[] => known.filter((permission) => Array.isArray(list) && list.includes(permission));
      return { granted: some(json.granted), declined: some(json.declined), silent: json.silent === true };
    }) ?? NOTHING;
  }

  keepDecisions(decisions: Decisions): void {
    write(() => localStorage, `${this.#key} answers`, decisions);
  }

  /** The viewer declined, in this tab, to say who they are. */
  get identityDeclined(): boolean {
    return read(() => sessionStorage, `${this.#key} declined`, () => true) ?? false;
  }

  set identityDeclined(declined: boolean) {
    write(() => sessionStorage, `${this.#key} declined`, declined ? {} : null);
  }

  /** In this tab the client took earlier frames of the widget away, and was not loaded again since: what they were allowed, null where none was. */
  leftBehind(known: readonly Permission[]): readonly Permission[] | null {
    return read(() => sessionStorage, `${this.#key} left`, ({ allowed }) => known.filter((permission) => Array.isArray(allowed) && allowed.includes(permission)));
  }

  keepLeftBehind(allowed: readonly Permission[] | null): void {
    write(() => sessionStorage, `${this.#key} left`, allowed === null ? null : { allowed });
  }

  get wished(): boolean {
    return read(() => sessionStorage, `${this.#key} wish`, () => true) ?? false;
  }

  /** It holds once. */
  takeWish(known: readonly Permission[]): Wish | null {
    const wish = read(() => sessionStorage, `${this.#key} wish`, ({ permissions, once, situation }) => ({
      permissions: known.filter((permission) => Array.isArray(permissions) && permissions.includes(permission)),
      once: once === true,
      situation: asObject(situation, 'situation'),
    }));
    this.keepWish(null);
    return wish;
  }

  keepWish(wish: Wish | null): void {
    write(() => sessionStorage, `${this.#key} wish`, wish);
  }

  /** What was sent after a frame was left behind arrived once: the client ends what belonged to that frame. */
  get clean(): boolean {
    return read(() => localStorage, `${this.#client} single`, () => true) ?? false;
  }

  set clean(clean: boolean) {
    write(() => localStorage, `${this.#client} single`, clean ? {} : null);
  }

  /** A session that has not ended; `now` and its end in milliseconds since the epoch. It goes with the tab. */
  session(now: number): Session | null {
    return read(() => sessionStorage, `${this.#key} session`, ({ token, userId, roomId, ends }) => {
      const valid = typeof token === 'string' && typeof userId === 'string' && typeof roomId === 'string' && typeof ends === 'number';
      return valid && now < ends ? { token, userId, roomId, ends } : null;
    });
  }

  keepSession(session: Session | null): void {
    write(() => sessionStorage, `${this.#key} session`, session);
  }
}

/** Null where there is nothing, nothing that makes sense, or no storage: to a frame of another site it throws. */
function read<T>(storage: () => Storage, key: string, parse: (json: Readonly<Record<string, unknown>>) => T | null): T | null {
  try {
    const text = storage().getItem(key);
    return text === null ? null : parse(asObject(JSON.parse(text), 'memory'));
  } catch {
    return null;
  }
}

function write(storage: () => Storage, key: string, value: object | null): void {
  try {
    if (value === null) storage().removeItem(key);
    else storage().setItem(key, JSON.stringify(value));
  } catch {
    // It holds for this page.
  }
}
