// The player's two video elements: the front one shows, the back one prepares what comes next behind it.
import { floatInstead, isFloating } from './picture-in-picture';
import type { Slot } from './slot';
import { createVideo, type VideoEvents } from './video-element';

/** What is prepared takes over as soon as it is ready, or at the end of what shows. */
export interface Opening {
  readonly slot: Slot;
  readonly until: 'ready' | 'boundary';
}

/** What the front element reports, and `prepared`: something happened to the back one. */
export interface SlotEvents extends VideoEvents {
  prepared(): void;
}

export class Slots {
  readonly videos: readonly [HTMLVideoElement, HTMLVideoElement];
  #front: Slot | null = null;
  #back: Opening | null = null;
  /** Showed before; kept open while picture-in-picture moves on to the new one. */
  #leaving: Slot | null = null;

  constructor(private readonly events: SlotEvents) {
    this.videos = [this.#create(), this.#create()];
  }

  get front(): Slot | null {
    return this.#front;
  }

  get back(): Opening | null {
    return this.#back;
  }

  /** Keeps to a rendition, as Engine does. */
  fix(level: number | null): void {
    for (const slot of [this.#front, this.#back?.slot]) slot?.fix(level);
  }

  /** Closes what was prepared, and returns the element for something else. */
  takeBack(): HTMLVideoElement {
    this.dropBack();
    this.#closeLeaving();
    return this.videos.find((each) => each !== this.#front?.video) ?? this.videos[0];
  }

  prepare(slot: Slot, until: Opening['until']): void {
    this.#back = { slot, until };
  }

  dropBack(): void {
    this.#back?.slot.close();
    this.#back = null;
  }

  /** Shows what was prepared, and returns it; null when nothing was. */
  swap(): Slot | null {
    const [old, now] = [this.#front, this.#back?.slot ?? null];
    if (now === null) return null;
    this.#front = now;
    this.#back = null;
    now.video.setAttribute('data-active', '');
    old?.video.removeAttribute('data-active');
    if (old !== null) this.#replace(old, now);
    return now;
  }

  clear(): void {
    this.dropBack();
    this.#front?.close();
    this.#front?.video.removeAttribute('data-active');
    this.#front = null;
  }

  #create(): HTMLVideoElement {
    const { events } = this;
    const showing = (): boolean => this.#front?.video === video;
    const video = createVideo({
      moved: () => (showing() ? events.moved() : events.prepared()),
      ended: () => showing() && events.ended(),
      waiting: () => showing() && events.waiting(),
      playable: () => (showing() ? events.playable() : events.prepared()),
      paused: () => showing() && events.paused(),
    });
    return video;
  }

  /** The old element stays as it is until picture-in-picture has left it. */
  #replace(old: Slot, now: Slot): void {
    if (!isFloating(old.video)) return old.close();
    old.video.pause();
    this.#leaving = old;
    void floatInstead(now.video).then(() => this.#leaving === old && this.#closeLeaving());
  }

  #closeLeaving(): void {
    this.#leaving?.close();
    this.#leaving = null;
  }
}
