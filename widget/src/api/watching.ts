// Says that the viewer watches the channel: a sign of life now and then, and a word when they leave.
import type { Server } from './server';

/** Milliseconds between two signs; the server waits for more than twice as long. */
const EVERY = 20_000;
/** Milliseconds for which a change must last before it is told: a pause may be over soon. */
const SETTLED = 1_000;

export class Watching {
  #watches = false;
  #told = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly server: () => Server | null) {
    window.addEventListener('pagehide', () => this.#leave());
    // Back from the browser's cache of pages.
    window.addEventListener('pageshow', (event) => event.persisted && this.#tell());
  }

  set(watches: boolean): void {
    if (watches === this.#watches) return;
    this.#watches = watches;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tell(), SETTLED);
  }

  /** Who watches as the server says: another page of the same viewer may have said goodbye for both. */
  heard(watches: boolean): void {
    if (this.#told && this.#watches && !watches) this.#tell();
  }

  #tell(): void {
    clearTimeout(this.#timer);
    if (!this.#watches && !this.#told) return;
    const server = this.server();
    server?.tell('PUT', server.roomPath('/watching'), { watching: this.#watches });
    this.#told = this.#watches;
    if (this.#watches) this.#timer = setTimeout(() => this.#tell(), EVERY);
  }

  #leave(): void {
    if (!this.#told) return;
    const server = this.server();
    server?.tell('PUT', server.roomPath('/watching'), { watching: false });
    this.#told = false;
  }
}
