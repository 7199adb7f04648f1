// The bytes of a take while it is recorded, to be read from any offset as often as the connection needs.

export class UploadBuffer {
  readonly #chunks: Blob[] = [];
  #size = 0;
  #ended = false;
  #wake: (() => void)[] = [];

  constructor(readonly type: string) {}

  /** Bytes so far. */
  get size(): number {
    return this.#size;
  }

  /** No more will come. */
  get ended(): boolean {
    return this.#ended;
  }

  push(chunk: Blob): void {
    this.#chunks.push(chunk);
    this.#size += chunk.size;
    this.#notify();
  }

  end(): void {
    this.#ended = true;
    this.#notify();
  }

  /** All of it as one file. The browser copies nothing. */
  whole(): Blob {
    return new Blob(this.#chunks, { type: this.type });
  }

  /** Up to `most` bytes from `offset` on, once there are some; none at the end. */
  async read(offset: number, most: number): Promise<Blob> {
    while (offset >= this.#size && !this.#ended) await new Promise<void>((resolve) => this.#wake.push(resolve));
    const parts: Blob[] = [];
    let start = 0;
    for (const chunk of this.#chunks) {
      if (start + chunk.size > offset && start < offset + most) parts.push(chunk.slice(Math.max(0, offset - start), offset + most - start));
      start += chunk.size;
    }
    return new Blob(parts);
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = [];
    wake.forEach((resolve) => resolve());
  }
}
