// What the client lets us do. Each permission is requested at its first use; what was allowed or declined is stored.
import { WidgetApiFromWidgetAction, type WidgetApi } from 'matrix-widget-api';
import { Store } from '../core/store';
import { ALL, CAPABILITIES, SENDING, type Permission } from './capabilities';
import type { WidgetStorage, Wish } from './storage';

/** Milliseconds within which nobody decides: the client did by itself. */
const SILENT = 300;

interface Request {
  readonly permissions: readonly Permission[];
  readonly settle: () => void;
}

export class Permissions {
  /** What the viewer allows. */
  readonly granted = new Store<ReadonlySet<Permission>>(new Set());
  /** What they declined, here or at an earlier visit. */
  readonly declined: Store<ReadonlySet<Permission>>;
  /** The client is prompting them now. */
  readonly asking = new Store(false);
  /** Where the viewer is, to be brought back there when the page loads itself anew; null while it must not. */
  situation: () => Wish['situation'] | null = () => ({});
  /** The viewer wants one message sent although it may arrive several times. */
  once: () => boolean = () => false;
  #open: readonly Request[] = [];
  /** What is requested in the handshake. */
  readonly #first: readonly Permission[];
  /** Open until the client has responded. */
  #handshake: Promise<void> | null = null;

  /**
   * Must be made before the API is started. `wish` is what the page was loaded anew for. Without one, what may be seen is taken up that the client
   * granted at an earlier visit without a prompt; not what may be sent: a host that was never allowed to does not send along with later ones.
   */
  constructor(
    private readonly api: WidgetApi,
    private readonly storage: WidgetStorage,
    wish: Wish | null = null,
    private readonly reload: () => void = () => location.reload(),
  ) {
    const { granted, declined, silent } = storage.decisions(ALL);
    this.declined = new Store<ReadonlySet<Permission>>(new Set(declined));
    this.#first = wish?.permissions ?? (silent ? granted.filter((permission) => !SENDING.includes(permission)) : []);
    api.on('action:notify_capabilities', ({ detail }: CustomEvent<{ data?: { requested?: unknown; approved?: unknown } }>) => {
      const { requested, approved } = detail.data ?? {};
      if (Array.isArray(approved)) this.#notified(Array.isArray(requested) ? requested : [], approved);
    });
    if (this.#first.length > 0) this.#shakeHands();
  }

  /** The handshake waits for the viewer's decision. */
  get asksFirst(): boolean {
    return this.#first.length > 0;
  }

  /** For a request the page reloads itself: hosts that were left behind handle every request but that of the handshake, and would prompt as well. */
  get reloads(): boolean {
    return this.storage.leftBehind(ALL) !== null && this.situation() !== null;
  }

  #shakeHands(): void {
    this.api.requestCapabilities(this.#first.map((permission) => CAPABILITIES[permission]));
    this.asking.set(true);
    let began = Infinity;
    this.api.once('action:capabilities', () => (began = performance.now()));
    this.#handshake = new Promise((resolve) => {
      // Clients that do not notify (MSC2871) are ready at once.
      for (const sign of ['action:notify_capabilities', 'ready']) this.api.once(sign, resolve);
    }).then(() => {
      this.#handshake = null;
      this.asking.set(this.#open.length > 0);
      this.#keepDecisions(this.#first, this.has(...this.#first) && performance.now() - began < SILENT);
    });
  }

  has(...permissions: readonly Permission[]): boolean {
    return permissions.every((permission) => this.granted.get().has(permission));
  }

  /** True when all of it was allowed at an earlier visit: the request needs no explanation. */
  hadBefore(...permissions: readonly Permission[]): boolean {
    const { granted } = this.storage.decisions(ALL);
    return permissions.every((permission) => granted.includes(permission));
  }

  /**
   * Requests what of it is missing, for which the client prompts the viewer; resolves with whether all of it is allowed, or never because the page goes. What they
   * allowed at an earlier visit is requested along with it: Element stores no more than its last request. Never rejects.
   */
  async ask(...permissions: readonly Permission[]): Promise<boolean> {
    if (this.#handshake !== null) {
      await this.#handshake;
      if (permissions.every((permission) => this.#first.includes(permission))) return this.has(...permissions);
    }
    if (this.has(...permissions)) return true;
    const before = this.storage.decisions(ALL).granted;
    const sends = permissions.some((permission) => SENDING.includes(permission));
    const along = (permission: Permission): boolean => before.includes(permission) && (sends || !SENDING.includes(permission));
    const situation = this.situation();
    if (situation !== null && this.reloads) return this.#reload(ALL.filter((permission) => this.has(permission) || permissions.includes(permission) || along(permission)), situation);
    const fresh = this.granted.get().size === 0;
    const wanted = ALL.filter((permission) => !this.has(permission) && (permissions.includes(permission) || along(permission)));
    const began = performance.now();
    await this.#request(wanted);
    // Of this request, not of what an earlier one brought.
    this.#keepDecisions(wanted, fresh && this.has(...wanted) && performance.now() - began < SILENT);
    return this.has(...permissions);
  }

  #reload(permissions: readonly Permission[], situation: Wish['situation']): Promise<boolean> {
    this.asking.set(true);
    this.storage.keepWish({ permissions, once: this.once(), situation });
    this.reload();
    return new Promise(() => undefined);
  }

  async #request(permissions: readonly Permission[]): Promise<void> {
    this.asking.set(true);
    await new Promise<void>((resolve) => {
      this.#open = [...this.#open, { permissions, settle: resolve }];
      const capabilities = permissions.map((permission) => CAPABILITIES[permission]);
      // Not by the library's own method, which requests again all that was ever declined. Clients without renegotiation (MSC2974) refuse.
      this.api.transport.send(WidgetApiFromWidgetAction.MSC2974RenegotiateCapabilities, { capabilities }).catch(() => resolve());
    });
    this.#open = this.#open.filter((request) => request.permissions !== permissions);
    this.asking.set(this.#open.length > 0);
  }

  #notified(requested: readonly unknown[], approved: readonly unknown[]): void {
    this.granted.set(new Set(ALL.filter((permission) => approved.includes(CAPABILITIES[permission]))));
    for (const { permissions, settle } of this.#open) {
      if (permissions.every((permission) => this.has(permission) || requested.includes(CAPABILITIES[permission]))) settle();
    }
  }

  #keepDecisions(requested: readonly Permission[], silent: boolean): void {
    const before = this.storage.decisions(ALL);
    const granted = ALL.filter((permission) => this.has(permission) || (before.granted.includes(permission) && !requested.includes(permission)));
    const declined = ALL.filter((permission) => !this.has(permission) && (this.declined.get().has(permission) || requested.includes(permission)));
    this.declined.set(new Set(declined));
    this.storage.keepDecisions({ granted, declined, silent });
  }
}
