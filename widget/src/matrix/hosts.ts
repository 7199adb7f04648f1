// Some clients start our counterpart anew at each visit of the room and never stop the ones before: each obeys every request, so that what is
// sent once arrives several times. Where the frame is the same, each responds; the library takes the first response and drops the others, so they
// are counted here. Where each visit has a frame of its own, as in Element Web 1.12.7, the others respond into frames that are gone: all that can
// be noticed is that the client took an earlier frame away, and afterwards that something arrived twice.
import { WidgetApiFromWidgetAction, type WidgetApi } from 'matrix-widget-api';
import { Store } from '../core/store';
import type { Memory } from './memory';

/** Whether several obey us. */
export type Several = 'no' | 'perhaps' | 'yes';

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

  /** Must be made before the API is started. `widgetId` is ours. */
  constructor(
    private readonly api: WidgetApi,
    private readonly widgetId: string,
    private readonly memory: Memory,
  ) {
    this.several = new Store<Several>(memory.leftBehind && !memory.clean ? 'perhaps' : 'no');
    window.addEventListener('message', ({ data }: MessageEvent<unknown>) => this.#count(data));
    this.#watchLeaving();
  }

  /** Asks something harmless, to learn how many answer; resolves when all will have. */
  async look(): Promise<void> {
    await this.api.transport.send(WidgetApiFromWidgetAction.SupportedApiVersions, {}).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, FURTHER));
  }

  /** Something arrived twice. */
  sawDouble(): void {
    this.several.set('yes');
    this.memory.clean = false;
  }

  /** Something was sent that will be seen as often as it arrives. */
  sent(): void {
    if (!this.memory.leftBehind) return;
    setTimeout(() => {
      if (this.several.get() === 'no') this.memory.clean = true;
    }, ARRIVED);
  }

  /** A frame that is taken out of a page gets no `beforeunload`; one that goes with its page does. */
  #watchLeaving(): void {
    let leaving = false;
    window.addEventListener('beforeunload', () => {
      leaving = true;
      setTimeout(() => (leaving = false), LEAVING);
    });
    window.addEventListener('pagehide', () => {
      this.memory.leftBehind = !leaving;
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
