// When to open a playlist again that failed: later each time, until it has played for a while.
import { backoff } from '../core/backoff';
import type { Failure } from './engine';

/** Seconds of play after which earlier failures no longer count. */
const RECOVERED = 3;

export class Recovery {
  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #since = 0;

  /** It goes on from here: seconds on the timeline. */
  playFrom(time: number): void {
    this.#since = time;
  }

  /** It has played up to here. */
  playedTo(time: number): void {
    if (Math.abs(time - this.#since) > RECOVERED) this.#attempt = 0;
  }

  /** Calls `reopen` after the milliseconds that it returns, in place of an earlier try. */
  schedule(failure: Failure, reopen: () => void): number {
    // A URL that expired, after the computer slept or when a video is made anew, needs no patience but a newer one.
    const wait = failure === 'stale' && this.#attempt === 0 ? 0 : backoff(this.#attempt, Math.random());
    this.#attempt += 1;
    this.cancel();
    this.#timer = setTimeout(reopen, wait);
    return wait;
  }

  cancel(): void {
    clearTimeout(this.#timer);
  }
}
