// Plays a playlist where the browser has no Media Source Extensions but plays HLS itself (older iPhones).
import { sleep } from '../browser/pause';
import type { Timeline } from '../core/timeline';
import type { Engine, EngineOptions } from './engine';
import { fetchPlaylist, awaitStart, LOOK_AGAIN, PlaylistError } from './fetch-timeline';

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
