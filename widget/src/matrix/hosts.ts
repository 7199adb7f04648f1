// Some clients start our counterpart anew at each visit of the room and never stop the ones before: each obeys every request, so that what is
// sent once arrives several times. Where the frame is the same, each responds; the library takes the first response and drops the others, so they
// are counted here. Where each visit has a frame of its own, as in Element Web 1.12.7, the others respond into frames that are gone: all that can
// be noticed is that the client took an earlier frame away, and afterwards that something arrived twice. What such a frame was allowed to send, it sends.
import { WidgetApiFromWidgetAction, type WidgetApi } from 'matrix-widget-api';
import { sleep } from '../browser/pause';
import { Store } from '../core/store';
import type { WidgetStorage } from './storage';
import { ALL, SENDING, type Permission } from './capabilities';

/** Whether several obey us; `once`: perhaps, and the viewer wants one message sent all the same. */
export type Several = 'no' | 'perhaps' | 'once' | 'yes';

/** Milliseconds for which further responses are waited for after the first. */
const FURTHER = 150;
/** Requests whose responses are counted, the latest. */
const MOST = 100;
/** Milliseconds within which a page goes that is unloaded; later the viewer chose to stay. */
const LEAVING = 5_000;
/** Milliseconds after which everything has arrived that was sent several times. */
const ARRIVED = 10_000;

export class Hosts {
  readonly several: Store<Several>;
  readonly #responses = new Map<string, number>();

  /** Must be made before the API is started. `widgetId` is ours; `granted` is what we are allowed. */
  constructor(
    private readonly api: WidgetApi,
    private readonly widgetId: string,
    private readonly storage: WidgetStorage,
    private readonly granted: Store<ReadonlySet<Permission>>,
    once: boolean,
  ) {
    const able = (storage.leftBehind(SENDING) ?? []).length > 0;
    this.several = new Store<Several>(!able || storage.clean ? 'no' : once ? 'once' : 'perhaps');
    window.addEventListener('message', ({ data }: MessageEvent<unknown>) => this.#count(data));
    this.#watchLeaving();
  }

  /** Sends a harmless request, to count the responses; resolves when all should be there. */
  async look(): Promise<void> {
    await this.api.transport.send(WidgetApiFromWidgetAction.SupportedApiVersions, {}).catch(() => undefined);
    await sleep(FURTHER);
  }

  /** Something arrived twice. */
  sawDouble(): void {
    this.several.set('yes');
    this.storage.clean = false;
  }

  /** Of a reaction the homeserver refuses a second one, over which Element stumbles for good: only messages may be tried. */
  maySend(type: string): boolean {
    const several = this.several.get();
    return several === 'no' || (several === 'once' && type === 'm.room.message');
  }

  /** The viewer wants the next message sent although it may arrive several times. */
  anyway(): void {
    if (this.several.get() === 'perhaps') this.several.set('once');
  }

  /** That message was sent, or may have been. */
  spent(): void {
    if (this.several.get() === 'once') this.several.set('perhaps');
  }

  /**
   * Something was sent under a permission. Where an earlier frame had it as well, it proves that the client obeys only us if it arrived once: `seen`
   * looks at what has arrived by then and resolves with whether it found it.
   */
  sent(permission: Permission, seen: () => Promise<boolean>): void {
    if (this.storage.leftBehind(SENDING)?.includes(permission) !== true) return;
    setTimeout(() => void seen().then((found) => {
      if (!found || this.several.get() === 'yes') return;
      this.storage.clean = true;
      this.several.set('no');
    }), ARRIVED);
  }

  /** A frame that is taken out of a page gets no `beforeunload`; one that goes with its page does. */
  #watchLeaving(): void {
    let leaving = false;
    window.addEventListener('beforeunload', () => {
      leaving = true;
      setTimeout(() => (leaving = false), LEAVING);
    });
    window.addEventListener('pagehide', () => {
      // We load it anew ourselves: its host stays, and so do those of before.
      if (this.storage.wished) return;
      const before = this.storage.leftBehind(ALL) ?? [];
      this.storage.keepLeftBehind(leaving ? null : ALL.filter((permission) => before.includes(permission) || this.granted.get().has(permission)));
    });
  }

  #count(data: unknown): void {
    if (typeof data !== 'object' || data === null) return;
    const { api, widgetId, requestId, response } = data as Readonly<Record<string, unknown>>;
    if (api !== 'fromWidget' || widgetId !== this.widgetId || typeof requestId !== 'string' || response === undefined) return;
    const count = (this.#responses.get(requestId) ?? 0) + 1;
    this.#responses.set(requestId, count);
    if (count > 1) this.several.set('yes');
    const [oldest] = this.#responses.keys();
    if (this.#responses.size > MOST && oldest !== undefined) this.#responses.delete(oldest);
  }
}
