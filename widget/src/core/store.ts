// A value that can be watched.

export class Store<T> {
  readonly #listeners = new Set<() => void>();

  constructor(private value: T) {}

  get(): T {
    return this.value;
  }

  /** Notifies the listeners only when something differs. */
  set(value: T): void {
    if (Object.is(value, this.value)) return;
    this.value = value;
    for (const listener of this.#listeners) listener();
  }

  /** Changes some fields; quiet when they all had these values already. */
  patch(fields: Partial<T>): void {
    const keys = Object.keys(fields) as (keyof T)[];
    if (keys.some((key) => !Object.is(fields[key], this.value[key]))) this.set({ ...this.value, ...fields });
  }

  /** Calls `listener` after each change; returns the way to stop it. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
