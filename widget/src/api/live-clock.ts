// The server's time on this page: fetched now and then, and derived from the page's own steady clock in between.
import { sleep } from '../browser/pause';
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
  #running: AbortController | null = null;

  /** Takes a time into account that came with another response. */
  learn(sample: Sample): void {
    this.#clock.learn(sample);
  }

  /** Keeps it exact until `stop`. */
  start(): void {
    if (this.#running !== null) return;
    this.#running = new AbortController();
    const { signal } = this.#running;
    const again = (): void => void (document.hidden || this.#compare(signal));
    document.addEventListener('visibilitychange', again, { signal });
    window.addEventListener('online', again, { signal });
    void this.#keep(signal);
  }

  stop(): void {
    this.#running?.abort();
    this.#running = null;
  }

  /** Milliseconds since the epoch by the server; null while it is not known. */
  now(): number | null {
    // The steady clock may stand still while the computer sleeps, the wall clock does not. When only that one was set, asking is cheap.
    if (Math.abs(apart() - this.#apart) > SLEPT) {
      this.#apart = apart();
      this.#clock.reset();
      if (this.#running !== null) void this.#compare(this.#running.signal);
    }
    return this.#clock.at(performance.now());
  }

  async #keep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const wait = await this.#compare(signal);
      await sleep(wait);
    }
  }

  /** Returns the milliseconds before the next comparison. */
  async #compare(signal: AbortSignal): Promise<number> {
    let inVain = 0;
    for (let count = 0; count < SAMPLES || (count < MOST_SAMPLES && inVain < IN_VAIN); count += 1) {
      const { doubt } = this.#clock;
      let refused: number | null = null;
      const response = await fetchJson('/api/v1/time').catch((error: unknown) => ((refused = retryAfterOf(error)), null));
      if (signal.aborted || response === null) return Math.max(AGAIN, pauseBefore(0, Math.random(), refused, AGAIN));
      this.#clock.learn({ sent: response.sent, received: response.received, server: decodeTime(response.json) });
      inVain = this.#clock.doubt < (1 - GAIN) * doubt ? 0 : inVain + 1;
      await sleep(APART);
    }
    return EVERY;
  }
}

function apart(): number {
  return Date.now() - performance.now();
}
