// What the client lets us do. Each permission is asked for at its first use; what was allowed or declined is remembered.
import { WidgetApiFromWidgetAction, type WidgetApi } from 'matrix-widget-api';
import { Store } from '../core/store';
import type { Memory } from './memory';

/** What a widget has to be allowed for, all of it in this room (MSC2762 and the widget API's own). */
export const CAPABILITIES = {
  stayOnScreen: 'm.always_on_screen',
  sendVideo: 'org.matrix.msc2762.send.event:m.room.message#m.video',
  sendText: 'org.matrix.msc2762.send.event:m.room.message#m.text',
  sendReaction: 'org.matrix.msc2762.send.event:m.reaction',
  sendRedaction: 'org.matrix.msc2762.send.event:m.room.redaction',
  seeMessages: 'org.matrix.msc2762.receive.event:m.room.message',
  seeReactions: 'org.matrix.msc2762.receive.event:m.reaction',
  seeRedactions: 'org.matrix.msc2762.receive.event:m.room.redaction',
} as const;
export type Permission = keyof typeof CAPABILITIES;


const ALL = Object.keys(CAPABILITIES) as Permission[];
/** Milliseconds within which nobody answers a question: the client answered by itself. */
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
  /** The client is asking them now. */
  readonly asking = new Store(false);
  #open: readonly Request[] = [];

  constructor(
    private readonly api: WidgetApi,
    private readonly memory: Memory,
  ) {
    this.declined = new Store<ReadonlySet<Permission>>(new Set(memory.answers(ALL).declined));
    api.on('action:notify_capabilities', ({ detail }: CustomEvent<{ data?: { requested?: unknown; approved?: unknown } }>) => {
      const { requested, approved } = detail.data ?? {};
      if (Array.isArray(approved)) this.#answered(Array.isArray(requested) ? requested : [], approved);
    });
  }

  has(...permissions: readonly Permission[]): boolean {
    return permissions.every((permission) => this.granted.get().has(permission));
  }

  /** True when all of it was allowed at an earlier visit: the client need not be asked with an explanation. */
  hadBefore(...permissions: readonly Permission[]): boolean {
    const { granted } = this.memory.answers(ALL);
    return permissions.every((permission) => granted.includes(permission));
  }

  /**
   * Has the client ask the viewer for what of it is missing; resolves with whether all of it is allowed. What they allowed at an earlier visit is
   * asked for along with it: Element remembers no more than its last question. Never rejects.
   */
  async ask(...permissions: readonly Permission[]): Promise<boolean> {
    if (this.has(...permissions)) return true;
    const fresh = this.granted.get().size === 0;
    const before = this.memory.answers(ALL).granted;
    const wanted = ALL.filter((permission) => !this.has(permission) && (permissions.includes(permission) || before.includes(permission)));
    const began = performance.now();
    await this.#request(wanted);
    // Of what was just asked for, not of what an earlier answer brought.
    this.#remember(wanted, fresh && this.has(...wanted) && performance.now() - began < SILENT);
    return this.has(...permissions);
  }

  /** Takes up what was allowed at an earlier visit, where the client will not ask the viewer about it. Never rejects. */
  async resume(): Promise<void> {
    const { granted, silent } = this.memory.answers(ALL);
    if (silent && granted.length > 0) await this.ask(...granted);
  }

  async #request(permissions: readonly Permission[]): Promise<void> {
    this.asking.set(true);
    await new Promise<void>((resolve) => {
      this.#open = [...this.#open, { permissions, settle: resolve }];
      const capabilities = permissions.map((permission) => CAPABILITIES[permission]);
      // Not by the library's own method, which asks again for all that was ever declined. Clients without renegotiation (MSC2974) refuse.
      this.api.transport.send(WidgetApiFromWidgetAction.MSC2974RenegotiateCapabilities, { capabilities }).catch(() => resolve());
    });
    this.#open = this.#open.filter((request) => request.permissions !== permissions);
    this.asking.set(this.#open.length > 0);
  }

  #answered(requested: readonly unknown[], approved: readonly unknown[]): void {
    this.granted.set(new Set(ALL.filter((permission) => approved.includes(CAPABILITIES[permission]))));
    for (const { permissions, settle } of this.#open) {
      if (permissions.every((permission) => this.has(permission) || requested.includes(CAPABILITIES[permission]))) settle();
    }
  }

  #remember(asked: readonly Permission[], silent: boolean): void {
    const before = this.memory.answers(ALL);
    const granted = ALL.filter((permission) => this.has(permission) || (before.granted.includes(permission) && !asked.includes(permission)));
    const declined = ALL.filter((permission) => !this.has(permission) && (this.declined.get().has(permission) || asked.includes(permission)));
    this.declined.set(new Set(declined));
    this.memory.keepAnswers({ granted, declined, silent });
  }
}
