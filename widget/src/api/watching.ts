// Says that the viewer watches the channel: a sign of life now and then, and a word when they leave.
import type { Server } from './server';

/** Milliseconds between two signs; the server waits for more than twice as long. */
const EVERY = 20_000;
/** Milliseconds for which a change must last before the server is notified: a pause may be over soon. */
const SETTLED = 1_000;

export class Watching {
  #watches = false;
  #notified = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly server: () => Server | null) {
    window.addEventListener('pagehide', () => this.#leave());
    // Back from the browser's cache of pages.
    window.addEventListener('pageshow', (event) => event.persisted && this.#notify());
  }

  set(watches: boolean): void {
    if (watches === this.#watches) return;
    this.#watches = watches;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#notify(), SETTLED);
  }

  /** Who watches as the server says: another page of the same viewer may have said goodbye for both. */
  heard(watches: boolean): void {
    if (this.#notified && this.#watches && !watches) this.#notify();
  }

  #notify(): void {
    clearTimeout(this.#timer);
    if (!this.#watches && !this.#notified) return;
    const server = this.server();
    server?.notify('PUT', server.roomPath('/watching'), { watching: this.#watches });
    this.#notified = this.#watches;
    if (this.#watches) this.#timer = setTimeout(() => this.#notify(), EVERY);
  }

  #leave(): void {
    if (!this.#notified) return;
    const server = this.server();
    server?.notify('PUT', server.roomPath('/watching'), { watching: false });
    this.#notified = false;
  }
}
