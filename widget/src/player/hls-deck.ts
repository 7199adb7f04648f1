// Plays a playlist through hls.js. This module and hls.js itself are loaded when there is something to play.
import Hls, { type ErrorData, type HlsConfig, type LevelDetails } from 'hls.js/light';
import { timelineOf, type Timeline } from '../core/timeline';
import type { Deck, DeckOptions, Failure } from './deck';

/** Milliseconds within which a second decoding error is not worth another attempt to recover. */
const RECOVER_AGAIN = 5_000;

/** False where Media Source Extensions are missing. */
export const isSupported = (): boolean => Hls.isSupported();

const CONFIG: Partial<HlsConfig> = {
  // Our segments are fMP4 and go to the browser as they are: a worker would only cost an exception in the page's policy.
  enableWorker: false,
  capLevelToPlayerSize: true,
  // Begin in a good quality; the estimate is corrected after the first segment.
  abrEwmaDefaultEstimate: 4_000_000,
  maxBufferLength: 30,
  // Enough to wrap a usual reel without loading its start again, bounded for long ones.
  backBufferLength: 300,
};

export class HlsDeck implements Deck {
  timeline: Timeline = [];
  readonly needsFreshUrl = false;
  readonly #hls: Hls;
  #recoveredAt = -Infinity;

  constructor(private readonly options: DeckOptions) {
    const { video, url, renew } = options;
    const hls = new Hls({ ...CONFIG, xhrSetup: (xhr, asked) => xhr.open('GET', renew(asked), true) });
    this.#hls = hls;
    hls.once(Hls.Events.LEVEL_LOADED, (_, { details }) => {
      this.#update(details);
      const start = options.place(this.timeline);
      // hls.js is about to fetch the first segment: send it to the right one instead.
      if (start > 0) hls.startLoad(start);
    });
    hls.on(Hls.Events.LEVEL_UPDATED, (_, { details }) => this.#update(details));
    hls.on(Hls.Events.LEVEL_PTS_UPDATED, (_, { details, drift }) => {
      if (drift !== 0) this.#update(details);
    });
    hls.on(Hls.Events.ERROR, (_, data) => this.#error(data));
    hls.attachMedia(video);
    hls.loadSource(url);
  }

  close(): void {
    this.#hls.destroy();
  }

  #update({ fragments }: LevelDetails): void {
    this.timeline = timelineOf(fragments.map(({ url, start, duration, cc }) => ({ url, start, duration, discontinuity: cc })));
    this.options.events.timeline();
  }

  #error(data: ErrorData): void {
    if (!data.fatal) return;
    if (data.type === Hls.ErrorTypes.MEDIA_ERROR && performance.now() - this.#recoveredAt > RECOVER_AGAIN) {
      this.#recoveredAt = performance.now();
      this.#hls.recoverMediaError();
      return;
    }
    this.options.events.failed(failureOf(data));
  }
}

function failureOf({ type, response }: ErrorData): Failure {
  const status = response?.code ?? 0;
  if (status === 403 || status === 404 || status === 410) return 'stale';
  return type === Hls.ErrorTypes.NETWORK_ERROR ? 'network' : 'media';
}
