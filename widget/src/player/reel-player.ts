// Plays reels endlessly: one playlist per reel, wrapped before its end, and replaced behind the picture when it changes.
import { backoff } from '../core/backoff';
import { reelIdentity } from '../core/grant';
import { Store } from '../core/store';
import { itemOf, nextTarget, orderOf, previousTarget, stepTarget, withinItem, type Timeline } from '../core/timeline';
import type { Failure, OpenDeck, Place } from './deck';
import { createPicture } from './picture';
import { afterItem, resume, startOf } from './places';
import { Slot, type Source } from './slot';
import { applySound, playAloud, SOUND, withMuted, withVolume } from './sound';
import { IDLE, type Playback } from './state';

export interface Reel {
  readonly key: string;
  readonly url: string;
  /** Seconds of the videos that are still there, by id: of the whole, also while one grows. */
  readonly durations: ReadonlyMap<string, number>;
}

/** Seconds before the end at which it wraps while the last frames still show (measured: a wrap there costs 0 to 13 ms). */
const WRAP = 0.06;
/** Seconds before the end at which a start that is no longer buffered is prepared on the other element. */
const PREPARE = 12;
/** Seconds of the start that must be buffered for a wrap by seeking. */
const ENOUGH = 1;
/** Seconds before a boundary at which a timer takes over from the frame callbacks. */
const CLOSE = 0.3;
/** Seconds of play after which the past failures are forgotten. */
const RECOVERED = 3;

interface Waiting {
  readonly slot: Slot;
  readonly until: 'ready' | 'boundary';
}

export class ReelPlayer {
  readonly playback = new Store<Playback>(IDLE);
  readonly sound = new Store(SOUND);
  readonly #videos: readonly [HTMLVideoElement, HTMLVideoElement];
  #front: Slot | null = null;
  #back: Waiting | null = null;
  #reel: Reel | null = null;
  /** Where a video that grew was when its reel went away: made anew, it comes back. */
  #left: { readonly key: string; readonly place: Place | null } | null = null;
  #attempt = 0;
  #reopenTimer: ReturnType<typeof setTimeout> | undefined;
  #boundaryTimer: ReturnType<typeof setTimeout> | undefined;
  #playedSince = 0;
  #itemStart = 0;

  constructor(
    private readonly openDeck: OpenDeck,
    private readonly renew: (url: string) => string,
    /** The server refused a URL: fetches newer ones; never rejects. */
    private readonly onStale: () => Promise<void>,
    autoplay: boolean,
  ) {
    this.playback.patch({ playing: autoplay });
    this.#videos = [this.#element(), this.#element()];
    this.sound.subscribe(() => this.#videos.forEach((video) => applySound(video, this.sound.get())));
  }

  /** Puts the picture into the page. */
  mount(parent: HTMLElement): void {
    parent.prepend(...this.#videos);
  }

  /** What should play. A new version of the same reel takes over at the item's end, or at once when the item is gone. */
  show(reel: Reel | null, startAt: string | null = null): void {
    this.#reel = reel;
    if (reel === null) return this.#clear();
    const source = sourceOf(reel);
    const shown = this.#front;
    if (startAt === null && this.#back?.slot.source.identity === source.identity && this.#back.slot.source.key === source.key) return;
    if (shown === null && startAt === null && this.#left?.key === reel.key) return this.#open(source, this.#left.place, 'ready');
    if (shown?.source.key !== reel.key) return this.#open(source, startOf(startAt), 'ready');
    if (startAt !== null) return this.#open(source, startOf(startAt), 'ready');
    if (shown.source.identity !== source.identity) return this.#revise(shown, source, reel);
    if (shown.needsFreshUrl && shown.source.url !== source.url) this.#revise(shown, source, reel);
    else this.#stay();
  }

  toggle(): void {
    if (this.playback.get().playing) this.pause();
    else this.play();
  }

  play(): void {
    this.playback.patch({ playing: true });
    void this.#run();
  }

  pause(): void {
    this.playback.patch({ playing: false });
    this.#front?.video.pause();
  }

  /** Plays a video of this reel; false when the reel does not hold it. */
  pick(videoId: string): boolean {
    const front = this.#front;
    if (front === null || this.#reel?.key !== front.source.key) return false;
    const item = front.timeline[itemOf(front.timeline, videoId, front.time)];
    if (item === undefined) {
      if (!this.#reel.durations.has(videoId)) return false;
      // The reel is the newest and still without it: of the videos that grow, it holds one at a time.
      if (front.source.identity === sourceOf(this.#reel).identity) return true;
      this.show(this.#reel, videoId);
    } else this.#seek(item.start);
    this.play();
    return true;
  }

  next(): void {
    if (this.#back?.until === 'boundary' && this.#back.slot.ready) this.#swap();
    else this.#move(nextTarget);
  }

  previous(): void {
    this.#move(previousTarget);
  }

  /** Steps by seconds within the item. */
  step(by: number): void {
    this.#move((timeline, time) => stepTarget(timeline, time, by, this.#front?.growing));
  }

  /** Seeks to seconds within the item, to the last moment that exists of one that grows. */
  seek(position: number): void {
    const front = this.#front;
    if (front?.item) this.#seek(withinItem(front.item, position, front.growing));
  }

  setVolume(volume: number): void {
    this.sound.patch(withVolume(volume));
  }

  setMuted(muted: boolean): void {
    this.sound.patch(withMuted(muted, this.sound.get()));
  }

  #element(): HTMLVideoElement {
    const showing = (): boolean => this.#front?.video === video;
    const swapping = (): boolean => this.#back?.until === 'ready';
    const video = createPicture({
      moved: () => (showing() ? this.#tick() : this.#arrived()),
      ended: () => showing() && this.#wrap(),
      waiting: () => showing() && this.#waits(),
      playable: () => {
        if (!showing()) return this.#arrived();
        this.playback.patch({ buffering: false });
        // Recovering from a decoding error pauses the element without telling.
        if (this.playback.get().playing && video.paused && !swapping()) void this.#run();
      },
      // The system paused it (headphones unplugged, a call): the button must not claim otherwise.
      paused: () => showing() && !swapping() && !document.hidden && this.playback.patch({ playing: false }),
    });
    return video;
  }

  /** Prepares a source on the element that does not show. */
  #open(source: Source, place: Place | null, until: Waiting['until']): void {
    this.#dropBack();
    clearTimeout(this.#reopenTimer);
    const video = this.#videos.find((each) => each !== this.#front?.video) ?? this.#videos[0];
    if (until === 'ready') {
      // What showed belongs to another choice: hold its last frame instead of playing on.
      if (this.#front !== null && this.#front.source.key !== source.key) this.#front.video.pause();
      this.playback.patch({ buffering: this.#front?.source.key !== source.key || !this.#front.flows });
    }
    const slot: Slot = new Slot(video, source, this.openDeck, place, this.renew, {
      timeline: () => this.#timelineChanged(slot),
      failed: (failure) => this.#failed(slot, failure),
    });
    this.#back = { slot, until };
  }

  /** What was being prepared is no longer wanted; what shows is right. */
  #stay(): void {
    this.#dropBack();
    this.playback.patch({ buffering: this.#front?.flows === false });
    if (this.playback.get().playing && this.#front?.video.paused) void this.#run();
  }

  #revise(shown: Slot, source: Source, reel: Reel): void {
    const current = shown.item?.videoId;
    // It would never end here: the new version has the same moment.
    if (shown.failure !== null || shown.starved) return this.#open(source, resume(shown, shown.failure), 'ready');
    const gone = current === undefined || !reel.durations.has(current);
    this.#open(source, afterItem(shown), gone ? 'ready' : 'boundary');
  }

  /** Another item shows: what waits for its end has to follow this one now. */
  #itemChanged(front: Slot): void {
    if (this.#back?.until !== 'boundary') return;
    if (this.#back.slot.source.identity === front.source.identity) this.#dropBack();
    else this.#back.slot.aim(afterItem(front));
  }

  #waits(): void {
    this.playback.patch({ buffering: true });
    const [front, back] = [this.#front, this.#back];
    // A newer version need not wait for an end that is not there yet.
    if (front?.starved && back?.until === 'boundary') this.#open(back.slot.source, resume(front, null), 'ready');
  }

  #dropBack(): void {
    this.#back?.slot.close();
    this.#back = null;
    clearTimeout(this.#boundaryTimer);
    this.#boundaryTimer = undefined;
  }

  #clear(): void {
    this.#dropBack();
    if (this.#front?.growing) {
      const { item, time, source } = this.#front;
      this.#left = { key: source.key, place: resume({ item, time }, null) };
    }
    this.#front?.close();
    this.#front?.video.removeAttribute('data-active');
    this.#front = null;
    clearTimeout(this.#reopenTimer);
    this.playback.set({ ...IDLE, playing: this.playback.get().playing });
  }

  /** Something became ready behind the picture. */
  #arrived(): void {
    if (this.#back?.until === 'ready' && this.#back.slot.ready) this.#swap();
  }

  #swap(): void {
    const back = this.#back?.slot;
    if (back === undefined) return;
    const { playing } = this.playback.get();
    const old = this.#front;
    this.#front = back;
    this.#back = null;
    this.#left = null;
    this.#boundaryTimer = undefined;
    applySound(back.video, this.sound.get());
    back.video.setAttribute('data-active', '');
    old?.video.removeAttribute('data-active');
    old?.close();
    this.playback.patch({ playing, buffering: false, trouble: null, reel: back.source.key, order: orderOf(back.timeline) });
    this.#playedSince = back.time;
    this.#itemStart = back.item?.start ?? 0;
    this.#tick();
    if (playing) void this.#run();
  }

  async #run(): Promise<void> {
    const front = this.#front;
    if (front === null) return;
    applySound(front.video, this.sound.get());
    this.#watchFrames(front);
    if (!(await playAloud(front.video, this.sound))) this.playback.patch({ playing: false });
  }

  /** Looks at the clock with every frame: `timeupdate` alone comes too late for a wrap without a gap, and for the title of a new item. */
  #watchFrames(slot: Slot): void {
    // Not in every browser that plays HLS by itself.
    if (!('requestVideoFrameCallback' in slot.video)) return;
    slot.video.requestVideoFrameCallback(() => {
      if (slot !== this.#front || slot.video.paused) return;
      if (slot.item?.start === this.#itemStart) this.#lookAhead(slot);
      else this.#tick();
      this.#watchFrames(slot);
    });
  }

  #tick(): void {
    const front = this.#front;
    const item = front?.item;
    if (!front || !item) return;
    const { videoId, start, duration: available } = item;
    const duration = front.growing ? Math.max(available, this.#reel?.durations.get(videoId) ?? 0) : available;
    if (start !== this.#itemStart) this.#itemChanged(front);
    this.#itemStart = start;
    this.playback.patch({ videoId, position: Math.min(duration, Math.max(0, front.time - start)), duration, available });
    if (Math.abs(front.time - this.#playedSince) > RECOVERED) this.#attempt = 0;
    this.#lookAhead(front);
  }

  #lookAhead(front: Slot): void {
    const { item, end, time } = front;
    if (item === null || front.video.paused || front.growing) return;
    const last = item.start + item.duration > end - 0.5;
    if (last && this.#back === null && end - time < PREPARE && front.bufferedFrom(0) < ENOUGH) {
      this.#open(front.source, null, 'boundary');
    }
    const boundary = last ? end : item.start + item.duration;
    const swaps = this.#back?.until === 'boundary';
    if ((!swaps && !last) || boundary - time > CLOSE || this.#boundaryTimer !== undefined) return;
    this.#boundaryTimer = setTimeout(() => this.#atBoundary(front, boundary, last), Math.max(0, boundary - time - WRAP) * 1000);
  }

  #atBoundary(front: Slot, boundary: number, last: boolean): void {
    this.#boundaryTimer = undefined;
    // The viewer may have sought away or paused since.
    if (front !== this.#front || front.video.paused || Math.abs(boundary - front.time) > CLOSE) return;
    if (this.#back?.until === 'boundary' && this.#back.slot.ready) this.#swap();
    else if (last) this.#wrap();
  }

  #wrap(): void {
    if (this.#front === null || this.#front.growing) return;
    this.#seek(this.#front.firstFrame);
    if (this.playback.get().playing) void this.#run();
  }

  #move(target: (timeline: Timeline, time: number) => number): void {
    if (this.#front !== null && this.#front.timeline.length > 0) this.#seek(target(this.#front.timeline, this.#front.time));
  }

  #seek(time: number): void {
    if (this.#front === null) return;
    clearTimeout(this.#boundaryTimer);
    this.#boundaryTimer = undefined;
    this.#front.video.currentTime = time;
    this.#playedSince = time;
    this.#tick();
  }

  #timelineChanged(slot: Slot): void {
    if (slot !== this.#front) return;
    this.playback.patch({ order: orderOf(slot.timeline) });
    this.#tick();
  }

  /** Opens the same place again behind the standing picture, later each time. */
  #failed(slot: Slot, failure: Failure): void {
    if (slot !== this.#front && slot !== this.#back?.slot) return;
    slot.failure = failure;
    const { item, time, aimed } = slot;
    const place = slot === this.#front ? resume(slot, failure) : failure === 'media' ? resume({ item, time }, failure) : aimed;
    // A new version that failed to load leaves the old one playing; it is tried again all the same.
    const until = this.#back?.slot === slot ? this.#back.until : 'ready';
    // An address that ended, after the computer slept or when a video is made anew, needs no patience but a newer one.
    const wait = failure === 'stale' && this.#attempt === 0 ? 0 : backoff(this.#attempt, Math.random());
    if (until === 'ready' && wait > 0) this.playback.patch({ trouble: failure === 'media' ? 'media' : 'network', buffering: true });
    this.#attempt += 1;
    clearTimeout(this.#reopenTimer);
    this.#reopenTimer = setTimeout(() => void this.#renewAndReopen(slot, failure, place, until), wait);
  }

  async #renewAndReopen(slot: Slot, failure: Failure, place: Place | null, until: Waiting['until']): Promise<void> {
    if (failure === 'stale') await this.onStale();
    // The room's new state may have opened something else in the meantime.
    const recovers = slot === this.#front && this.#back?.until === 'ready';
    if (!recovers && (slot === this.#front || slot === this.#back?.slot)) this.#reopen(place, until);
  }

  #reopen(place: Place | null, until: Waiting['until']): void {
    if (this.#reel !== null) this.#open(sourceOf(this.#reel), place, until);
  }
}

function sourceOf({ key, url }: Reel): Source {
  return { key, url, identity: reelIdentity(url) ?? url };
}
