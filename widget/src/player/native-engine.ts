// Plays a playlist where the browser has no Media Source Extensions but plays HLS itself (older iPhones).
import { sleep } from '../browser/pause';
import { itemAt, type Timeline } from '../core/timeline';
import type { Engine, EngineOptions } from './engine';
import { fetchPlaylist, awaitStart, LOOK_AGAIN, PlaylistError } from './fetch-timeline';

/** Milliseconds without data that are no hiccup. */
const STANDS_STILL = 1_000;

export class NativeEngine implements Engine {
  timeline: Timeline = [];
  inProgress = false;
  readonly needsFreshUrl = true;
  readonly levels = [];
  readonly level = null;
  readonly #closed = new AbortController();

  constructor(private readonly options: EngineOptions) {
    const { video, events } = options;
    const { signal } = this.#closed;
    video.addEventListener('error', () => events.failed(video.error?.code === MediaError.MEDIA_ERR_NETWORK ? 'network' : 'media'), { signal });
    this.#watch();
    this.#open().catch((error: unknown) => {
      if (!signal.aborted) events.failed(error instanceof PlaylistError ? error.failure : 'network');
    });
  }

  fix(): void {
    // The browser alone decides.
  }

  close(): void {
    this.#closed.abort();
    this.options.video.removeAttribute('src');
    this.options.video.load();
  }

  async #open(): Promise<void> {
    const { video, url, start: wanted, renew, events } = this.options;
    const { signal } = this.#closed;
    const { timeline, inProgress, start } = await awaitStart(() => renew(url), wanted ?? (() => 0), signal);
    this.timeline = timeline;
    this.inProgress = inProgress;
    video.src = renew(url);
    video.addEventListener('loadedmetadata', () => (video.currentTime = start), { once: true, signal });
    video.load();
    events.timeline();
    await this.#follow();
  }

  /** Where it stands still for want of data, and neither somebody sought nor there is more to come, the line is too slow. */
  #watch(): void {
    const { video, events } = this.options;
    const { signal } = this.#closed;
    const reported = new Set<string>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const settle = (): void => clearTimeout(timer);
    video.addEventListener('waiting', () => {
      settle();
      if (video.seeking || video.currentTime === 0 || this.inProgress) return;
      timer = setTimeout(() => {
        const item = this.timeline[itemAt(this.timeline, video.currentTime)];
        if (item === undefined || reported.has(item.videoId)) return;
        reported.add(item.videoId);
        events.slow(item.videoId);
      }, STANDS_STILL);
    }, { signal });
    for (const event of ['playing', 'seeking', 'pause', 'emptied']) video.addEventListener(event, settle, { signal });
    signal.addEventListener('abort', settle);
  }

  /** The browser reloads its playlist by itself but does not report what it found. */
  async #follow(): Promise<void> {
    const { url, renew, events } = this.options;
    while (this.inProgress) {
      await sleep(LOOK_AGAIN);
      Object.assign(this, await fetchPlaylist(renew(url), this.#closed.signal));
      events.timeline();
    }
  }
}
