// The server's time on this page: fetched now and then, and derived from the page's own steady clock in between.
import { Pause } from '../browser/pause';
import { pauseBefore } from '../core/backoff';
import { ServerClock, type Sample } from '../core/clock';
import { decodeTime } from '../core/decode';
import { fetchJson, retryAfterOf } from './http';

/** How many samples make a comparison at least and at most, and the milliseconds between two of them. */
const SAMPLES = 4;
const MOST_SAMPLES = 24;
const APART = 150;
/** How many samples in a row say that nothing is to be gained by more, when each took off less than this share of the doubt. */
const IN_VAIN = 4;
const GAIN = 0.1;
/** Milliseconds between two comparisons, and before the next try where one failed. */
const EVERY = 30_000;
const AGAIN = 3_000;
/** Milliseconds by which the wall clock may run away from the steady one, before we take it that the computer slept. */
const SLEPT = 1_000;

export class LiveClock {
  readonly #clock = new ServerClock();
  #apart = apart();
  /** When it had to start over, on the steady clock. */
  #since = -Infinity;
  /** While it is kept exact. */
  #running: AbortController | null = null;
  /** The comparisons, one at a time. */
  #loop = new AbortController();

  /** Takes a time into account that came with another response. */
  learn(sample: Sample): void {
    // What was sent before the computer slept does not say when, on a clock that stood still, it was answered.
    if (sample.sent >= this.#since) this.#clock.learn(sample);
  }

  /** Keeps it exact until `stop`. */
  start(): void {
    if (this.#running !== null) return;
    this.#running = new AbortController();
    const { signal } = this.#running;
    const again = (): void => {
      if (!document.hidden) this.#restart();
    };
    document.addEventListener('visibilitychange', again, { signal });
    window.addEventListener('online', again, { signal });
    this.#restart();
  }

  stop(): void {
    this.#running?.abort();
    this.#loop.abort();
    this.#running = null;
  }

  /** Milliseconds since the epoch by the server; null while it is not known. */
  now(): number | null {
    // The steady clock may stand still while the computer sleeps, the wall clock does not. When only that one was set, asking is cheap.
    if (Math.abs(apart() - this.#apart) > SLEPT) {
      this.#apart = apart();
      this.#since = performance.now();
      this.#clock.reset();
      if (this.#running !== null) this.#restart();
    }
    return this.#clock.at(performance.now());
  }

  /** Compares at once: what was under way may wait for a response that does not come. */
  #restart(): void {
    this.#loop.abort();
    this.#loop = new AbortController();
    void this.#keep(this.#loop.signal);
  }

  async #keep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const wait = await this.#compare(signal);
      await new Pause().wait(wait, { signal, fixed: true });
    }
  }

  /** Returns the milliseconds before the next comparison. */
  async #compare(signal: AbortSignal): Promise<number> {
    let inVain = 0;
    for (let count = 0; count < SAMPLES || (count < MOST_SAMPLES && inVain < IN_VAIN); count += 1) {
      const { doubt } = this.#clock;
      let refused: number | null = null;
      const sample = await fetchSample().catch((error: unknown) => ((refused = retryAfterOf(error)), null));
      if (signal.aborted) break;
      if (sample === null) return Math.max(AGAIN, pauseBefore(0, Math.random(), refused, AGAIN));
      this.learn(sample);
      inVain = this.#clock.doubt < (1 - GAIN) * doubt ? 0 : inVain + 1;
      await new Pause().wait(APART, { signal, fixed: true });
    }
    return EVERY;
  }
}

/** Rejects when it cannot be had. */
async function fetchSample(): Promise<Sample> {
  const { json, sent, received } = await fetchJson('/api/v1/time');
  return { sent, received, server: decodeTime(json) };
}

function apart(): number {
  return Date.now() - performance.now();
}
