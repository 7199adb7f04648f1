// Calls back a little before an item's end: frame callbacks and `timeupdate` would come too late there.
import { delayBefore, isAhead, isClose } from '../core/item-end';
import type { Slot } from './slot';

export class BoundaryTimer {
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Once `at` is close, unless it is set already. */
  set(slot: Slot, at: number, onBoundary: () => void): void {
    const { time, video } = slot;
    if (this.#timer !== undefined || isAhead(at, time, video.playbackRate)) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      // The viewer may have sought away or paused since.
      if (!video.paused && isClose(at, slot.time, video.playbackRate)) onBoundary();
    }, delayBefore(at, time, video.playbackRate));
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
