// Plays a playlist through hls.js. This module and hls.js itself are loaded when there is something to play.
import Hls, { type ErrorData, type FragBufferedData, type HlsConfig, type Level, type LevelDetails } from 'hls.js/light';
import { levelFor } from '../core/choices';
import { LineWatch } from '../core/slow-line';
import type { StartPosition } from '../core/start-position';
import { timelineOf, videoOf, type Timeline } from '../core/timeline';
import type { Engine, EngineOptions, Failure } from './engine';
import { awaitStart, PlaylistError } from './fetch-timeline';
import { startLoader } from './start-loader';

/** Milliseconds within which a second decoding error is not worth another attempt to recover. */
const RECOVER_AGAIN = 5_000;

/** Bits per second: a guess at first, then the estimate of the reel before. */
let estimate = 4_000_000;

/** False where Media Source Extensions are missing. */
export const isSupported = (): boolean => Hls.isSupported();

const CONFIG: Partial<HlsConfig> = {
  // Our segments are fMP4 and go to the browser as they are: a worker would only cost an exception in the page's policy.
  enableWorker: false,
  capLevelToPlayerSize: true,
  // A trial segment in the lowest rendition would delay every first frame: begin with the estimate instead.
  testBandwidth: false,
  // It need not wait for the element, which hls.js looks at ten times a second.
  startFragPrefetch: true,
  maxBufferLength: 30,
  // Enough to wrap a usual reel without loading its start again, bounded for long ones.
  backBufferLength: 300,
  // The end so far of a video in progress is not its end: a browser would report 'ended' there each time it catches up.
  liveDurationInfinity: true,
  // A wrong key is an error at once. With the default, what software made of it would be a stall without a word.
  enableSoftwareAES: false,
};

/**
 * Leaves alone who waits at the live edge. hls.js 1.7 takes somebody a few milliseconds behind the last frame, where a
 * segment's audio is longer than its video, for lost, and seeks back by seconds when it next loads the playlist.
 */
class StreamController extends Hls.DefaultConfig.streamController {}
Object.defineProperty(StreamController.prototype, 'synchronizeToLiveEdge', { value: () => undefined });

export class HlsEngine implements Engine {
  timeline: Timeline = [];
  inProgress = false;
  readonly needsFreshUrl = false;
  level: number | null = null;
  #wish: number | null = null;
  readonly #closed = new AbortController();
  #hls: Hls | null = null;
  #recoveredAt = -Infinity;
  readonly #line = new LineWatch();

  constructor(private readonly options: EngineOptions) {
    const { start } = options;
    if (start === null) this.#load({ startPosition: 0 });
    else this.#load({ pLoader: startLoader(start, () => this.#await(start)) });
  }

  get levels(): readonly number[] {
    return [...new Set(this.#hls?.levels.map(linesOf))].sort((a, b) => b - a);
  }

  fix(level: number | null): void {
    this.#wish = level;
    const hls = this.#hls;
    if (hls === null || hls.levels.length === 0) return;
    const lines = level === null ? null : levelFor(this.levels, level);
    const index = hls.levels.findLastIndex((each) => linesOf(each) === lines);
    // From the next media segment on: nobody waits for another frame.
    if (index !== hls.manualLevel) hls.nextLevel = index;
  }

  close(): void {
    this.#closed.abort();
    if (this.#hls === null) return;
    if (this.#hls.bandwidthEstimate > 0) estimate = this.#hls.bandwidthEstimate;
    this.#hls.destroy();
  }

  /** What the viewer left has not been made again so far. */
  #await(wanted: StartPosition): void {
    const { url, renew, events } = this.options;
    this.#hls?.destroy();
    this.#hls = null;
    awaitStart(() => renew(url), wanted, this.#closed.signal).then(
      ({ start }) => this.#load({ startPosition: start }),
      (error: unknown) => {
        if (!this.#closed.signal.aborted) events.failed(error instanceof PlaylistError ? error.failure : 'network');
      },
    );
  }

  /** hls.js does not survive a seek at its first segment: `begin` sets the start before. */
  #load(begin: Pick<HlsConfig, 'startPosition'> | Pick<HlsConfig, 'pLoader'>): void {
    const { renew, video, url } = this.options;
    const xhrSetup = (xhr: XMLHttpRequest, requested: string): void => xhr.open('GET', renew(requested), true);
    const hls = new Hls({ ...CONFIG, ...begin, streamController: StreamController, abrEwmaDefaultEstimate: estimate, xhrSetup });
    this.#hls = hls;
    hls.on(Hls.Events.LEVEL_UPDATED, (_, { details }) => this.#update(details));
    hls.on(Hls.Events.LEVEL_PTS_UPDATED, (_, { details, drift }) => {
      if (drift !== 0) this.#update(details);
    });
    hls.on(Hls.Events.MANIFEST_PARSED, () => {
      if (this.#wish !== null) this.fix(this.#wish);
      this.options.events.levels();
    });
    hls.on(Hls.Events.LEVEL_SWITCHED, (_, { level }) => {
      const playing = hls.levels[level];
      this.level = playing === undefined ? null : linesOf(playing);
      this.options.events.levels();
    });
    hls.on(Hls.Events.FRAG_BUFFERED, (_, data) => this.#loaded(hls, data));
    hls.on(Hls.Events.ERROR, (_, data) => this.#error(data));
    hls.attachMedia(video);
    hls.loadSource(url);
  }

  #update({ fragments, live }: LevelDetails): void {
    this.inProgress = live;
    this.timeline = timelineOf(fragments.map(({ url, start, duration, cc }) => ({ url, start, duration, discontinuity: cc })));
    this.options.events.timeline();
  }

  #loaded(hls: Hls, { frag, stats: { loading } }: FragBufferedData): void {
    const videoId = videoOf(frag.url);
    // The lowest one is the first.
    if (frag.sn === 'initSegment' || frag.level !== 0 || videoId === undefined) return;
    if (!this.#line.add(videoId, (loading.end - loading.start) / 1000, frag.duration)) return;
    // What is opened next begins with what this line can do.
    if (hls.bandwidthEstimate > 0) estimate = hls.bandwidthEstimate;
    this.options.events.slow(videoId);
  }

  #error(data: ErrorData): void {
    // hls.js retries a few times, but what is gone stays gone, and what the viewer has buffered is running out.
    const gone = data.response?.code === 410 || isKeyGone(data);
    if (gone) this.#hls?.stopLoad();
    if (!data.fatal && !gone) return;
    if (data.type === Hls.ErrorTypes.MEDIA_ERROR && performance.now() - this.#recoveredAt > RECOVER_AGAIN) {
      this.#recoveredAt = performance.now();
      this.#hls?.recoverMediaError();
      return;
    }
    this.options.events.failed(failureOf(data));
  }
}

/** As renditions are called: 720 for 1280×720 and for 720×1280. */
function linesOf({ width, height }: Level): number {
  return Math.min(width, height);
}

/** Only a stage that is swept, or a grant that has ended, has no key. */
function isKeyGone({ details, response }: ErrorData): boolean {
  return details === Hls.ErrorDetails.KEY_LOAD_ERROR && (response?.code === 403 || response?.code === 404);
}

function failureOf({ type, response }: ErrorData): Failure {
  const status = response?.code ?? 0;
  if (status === 403 || status === 404 || status === 410) return 'stale';
  return type === Hls.ErrorTypes.NETWORK_ERROR ? 'network' : 'media';
}
