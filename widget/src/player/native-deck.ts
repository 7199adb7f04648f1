// Plays a playlist where the browser has no Media Source Extensions but plays HLS itself (older iPhones).
import { firstVariant, segmentsOf } from '../core/playlist';
import { timelineOf, type Timeline } from '../core/timeline';
import type { Deck, DeckOptions } from './deck';

export class NativeDeck implements Deck {
  timeline: Timeline = [];
  readonly needsFreshUrl = true;
  readonly #closed = new AbortController();

  constructor(private readonly options: DeckOptions) {
    const { video, events } = options;
    const { signal } = this.#closed;
    video.addEventListener('error', () => events.failed(video.error?.code === MediaError.MEDIA_ERR_NETWORK ? 'network' : 'media'), { signal });
    this.#open(options.renew(options.url)).catch(() => {
      if (!signal.aborted) events.failed('network');
    });
  }

  close(): void {
    this.#closed.abort();
    this.options.video.removeAttribute('src');
    this.options.video.load();
  }

  async #open(url: string): Promise<void> {
    const { video, place, events } = this.options;
    const text = await this.#text(url);
    if (text === null) return;
    const variant = firstVariant(text);
    const media = variant === null ? text : await this.#text(new URL(variant, new URL(url, location.href)).href);
    if (media === null) return;
    this.timeline = timelineOf(segmentsOf(media));
    video.src = url;
    video.addEventListener('loadedmetadata', () => (video.currentTime = place(this.timeline)), { once: true, signal: this.#closed.signal });
    video.load();
    events.timeline();
  }

  async #text(url: string): Promise<string | null> {
    const response = await fetch(url, { signal: this.#closed.signal, credentials: 'omit' });
    if (response.ok) return response.text();
    this.options.events.failed(response.status < 500 ? 'stale' : 'network');
    return null;
  }
}
