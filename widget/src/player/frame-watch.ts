// Looks at each frame near an item's end: `timeupdate` comes too late for a wrap without a gap, and for the title of a new item. Elsewhere it is enough.
import { isWatched } from '../core/item-end';
import type { Slot } from './slot';

export class FrameWatch {
  /** Those whose next frame is waited for. */
  readonly #watched = new WeakSet<Slot>();

  /** `onFrame` looks at a frame and returns whether the slot plays on. */
  constructor(private readonly onFrame: (slot: Slot) => boolean) {}

  /** Looks at the next frames of a slot, when its item ends soon. */
  watch(slot: Slot): void {
    const { item, time, video } = slot;
    // Not in every browser that plays HLS by itself.
    if (this.#watched.has(slot) || !('requestVideoFrameCallback' in video) || item === null || !isWatched(item, time, video.playbackRate)) return;
    this.#watched.add(slot);
    video.requestVideoFrameCallback(() => {
      this.#watched.delete(slot);
      if (this.onFrame(slot)) this.watch(slot);
    });
  }
}
