// The server's clock, derived from our own steady one: it does not matter whether the viewer's wall clock is right, or jumps.

/** One sample of the server's time, in milliseconds; `sent` and `received` on our steady clock. */
export interface Sample {
  readonly sent: number;
  readonly received: number;
  readonly server: number;
}

/** By how much an older sample counts as less exact: two clocks run apart by less than this. */
const DRIFT = 1e-4;
const KEPT = 32;

export class ServerClock {
  #samples: readonly Sample[] = [];
  /** Milliseconds; null while nothing is known. */
  #ahead: number | null = null;

  /** Takes a sample into account. The quickest one is the most exact. */
  learn(sample: Sample): void {
    this.#samples = [...this.#samples.slice(1 - KEPT), sample];
    const doubt = ({ sent, received }: Sample): number => (received - sent) / 2 + DRIFT * (sample.received - received);
    const best = this.#samples.reduce((one, other) => (doubt(other) < doubt(one) ? other : one));
    this.#ahead = best.server - (best.sent + best.received) / 2;
  }

  /** Our steady clock stood still for a while: what was learnt before is of no use. */
  reset(): void {
    this.#samples = [];
    this.#ahead = null;
  }

  /** The server's time at a time of our steady clock; null while it is not known. */
  at(steady: number): number | null {
    return this.#ahead === null ? null : steady + this.#ahead;
  }
}
