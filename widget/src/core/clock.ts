// The server's clock, derived from our own steady one: it does not matter whether the viewer's wall clock is right, or jumps.

/** One sample of the server's time, in milliseconds; `sent` and `received` on our steady clock. */
export interface Sample {
  readonly sent: number;
  readonly received: number;
  readonly server: number;
}

/** Milliseconds by which two clocks run apart in one. */
const DRIFT = 1e-4;
const KEPT = 32;

export class ServerClock {
  #samples: readonly Sample[] = [];
  /** Milliseconds; null while nothing is known. */
  #ahead: number | null = null;
  /** Milliseconds by which it is wrong at most. */
  doubt = Infinity;

  /**
   * Takes a sample into account. The server read its clock after we sent and before we received: the quickest way there
   * bounds from one side by how much it is ahead, the quickest way back, be it of another sample, from the other.
   */
  learn(sample: Sample): void {
    this.#samples = [...this.#samples.slice(1 - KEPT), sample];
    // One of the two clocks was set, be it by a little: what was learnt before that is of no use.
    while (!this.#compare(sample)) this.#samples = this.#samples.slice(1);
  }

  /** False when the samples contradict each other. */
  #compare({ received: now }: Sample): boolean {
    const aged = ({ received }: Sample): number => DRIFT * Math.abs(now - received);
    const least = Math.max(...this.#samples.map((each) => each.server - each.received - aged(each)));
    const most = Math.min(...this.#samples.map((each) => each.server - each.sent + aged(each)));
    if (least > most) return false;
    this.#ahead = (least + most) / 2;
    this.doubt = (most - least) / 2;
    return true;
  }

  /** Our steady clock stood still for a while: what was learnt before is of no use. */
  reset(): void {
    this.#samples = [];
    this.#ahead = null;
    this.doubt = Infinity;
  }

  /** The server's time at a time of our steady clock; null while it is not known. */
  at(steady: number): number | null {
    return this.#ahead === null ? null : steady + this.#ahead;
  }
}
