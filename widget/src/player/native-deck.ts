// Plays a playlist where the browser has no Media Source Extensions but plays HLS itself (older iPhones).
import type { Timeline } from '../core/timeline';
import type { Deck, DeckOptions } from './deck';
import { fetchTimeline, PlaylistError } from './fetch-timeline';

export class NativeDeck implements Deck {
  timeline: Timeline = [];
  readonly needsFreshUrl = true;
  readonly #closed = new AbortController();

  constructor(private readonly options: DeckOptions) {
    const { video, events } = options;
    const { signal } = this.#closed;
    video.addEventListener('error', () => events.failed(video.error?.code === MediaError.MEDIA_ERR_NETWORK ? 'network' : 'media'), { signal });
    this.#open(options.renew(options.url)).catch((error: unknown) => {
      if (!signal.aborted) events.failed(error instanceof PlaylistError ? error.failure : 'network');
    });
  }

  close(): void {
    this.#closed.abort();
    this.options.video.removeAttribute('src');
    this.options.video.load();
  }

  async #open(url: string): Promise<void> {
    const { video, place, events } = this.options;
    const { signal } = this.#closed;
    this.timeline = await fetchTimeline(url, signal);
    video.src = url;
    video.addEventListener('loadedmetadata', () => (video.currentTime = place?.(this.timeline) ?? 0), { once: true, signal });
    video.load();
    events.timeline();
  }
}
