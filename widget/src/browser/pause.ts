// Waits: plain ones, and those between two tries, which may end early.

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** A wait that is cut short by `end`, and as soon as the browser is online again. */
export class Pause {
  #end: () => void = () => undefined;

  /** Resolves after `milliseconds`, or early; with `fixed` only `signal` ends it early. */
  wait(milliseconds: number, { signal, fixed = false }: { signal?: AbortSignal; fixed?: boolean } = {}): Promise<void> {
    return new Promise((resolve) => {
      const listening = new AbortController();
      const end = (): void => {
        clearTimeout(timer);
        listening.abort();
        resolve();
      };
      const timer = setTimeout(end, milliseconds);
      if (signal?.aborted === true) return end();
      signal?.addEventListener('abort', end, { signal: listening.signal });
      if (!fixed) window.addEventListener('online', end, { signal: listening.signal });
      this.#end = fixed ? () => undefined : end;
    });
  }

  end(): void {
    this.#end();
  }
}
