// Plays reels endlessly: one playlist per reel, wrapped before its end, and replaced behind the picture when it changes.
import { backoff } from '../core/backoff';
import { CHOICES, type Choices } from '../core/choices';
import { mediaName, reelIdentity } from '../core/grant';
import { arrive, beginShuffle, goBack, upcoming, type Shuffle } from '../core/shuffle';
import { Store } from '../core/store';
import { itemOf, nextTarget, orderOf, previousTarget, RESTART_AFTER, stepTarget, withinItem, type Item, type Timeline } from '../core/timeline';
import type { Failure, OpenDeck, Place } from './engine';
import { floatInstead, isFloating } from './picture-in-picture';
import { createPicture } from './video-element';
import { afterItem, again, resume, startOf } from './start-positions';
import { applyRate, RUSH } from './rate';
import { Slot, type Source } from './slot';
import { applySound, playAloud, SOUND, withMuted, withVolume } from './audio';
import { IDLE, type Playback } from './state';

export interface Reel {
  readonly key: string;
  readonly url: string;
  /** Seconds of the videos that are still there, by id: of the whole, also while one grows. */
  readonly durations: ReadonlyMap<string, number>;
  /** Where it begins when it is opened; at its beginning without one. */
  readonly begin?: Place | null;
}

/** What shows, for whoever keeps it at a moment. */
export interface Whereabouts {
  readonly key: string;
  readonly timeline: Timeline;
  /** Seconds on the timeline. */
  readonly time: number;
  readonly item: Item | null;
  /** There is more to come at the end of the list. */
  readonly lengthening: boolean;
  /** It moves. */
  readonly flows: boolean;
  /** A newer version takes over at the item's end. */
  readonly turning: boolean;
}

/** What shows, for those who add something to it. */
export interface Showing {
  readonly video: HTMLVideoElement;
  readonly item: Item;
}

/** Seconds before the end at which it wraps while the last frames still show (measured: a wrap there costs 0 to 13 ms). */
const WRAP = 0.06;
/** Seconds before the end at which a start that is no longer buffered is prepared on the other element. */
const PREPARE = 12;
/** Seconds of the start that must be buffered for a wrap by seeking. */
const ENOUGH = 1;
/** Seconds before an item's end from which every frame is looked at: `timeupdate` comes four times a second, late on a busy machine. */
const WATCH = 2;
/** Seconds before a boundary at which a timer takes over from the frame callbacks. */
const CLOSE = 0.3;
/** Seconds of play after which the past failures are forgotten. */
const RECOVERED = 3;
/** Seconds between an item's end and the start of what follows it directly, at most. */
const NEXT = 0.1;

interface Waiting {
  readonly slot: Slot;
  readonly until: 'ready' | 'boundary';
}

export class ReelPlayer {
  readonly playback = new Store<Playback>(IDLE);
  readonly sound = new Store(SOUND);
  /** Called when the viewer goes their own way: pauses, seeks, picks another video. */
  onOwnWay: () => void = () => undefined;
  /** How often the viewer asked for a video: a pick, the next or the previous one. */
  asked = 0;
  readonly choices = new Store<Choices>(CHOICES);
  /** It follows the room's channel: speed and order are not the viewer's. */
  readonly live = new Store(false);
  /** Somebody holds a key to get through quickly. */
  readonly rushing = new Store(false);
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
  #shuffle: Shuffle = beginShuffle(0, null);
  /** Those whose next frame is waited for. */
  readonly #watched = new WeakSet<Slot>();
  /** Played before; kept open while the window above all others moves on. */
  #leaving: Slot | null = null;

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
    this.rushing.subscribe(() => this.#applyRate());
    this.live.subscribe(() => {
      this.#applyRate();
      this.#reorder();
    });
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
    if (shown?.source.key !== reel.key) return this.#open(source, startAt === null ? reel.begin ?? null : startOf(startAt), 'ready');
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
    this.onOwnWay();
    this.playback.patch({ playing: false });
    this.#front?.video.pause();
  }

  /** Plays a video of this reel; false when the reel does not hold it. */
  pick(videoId: string): boolean {
    this.onOwnWay();
    this.asked += 1;
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
    this.onOwnWay();
    this.asked += 1;
    const loop = this.#loop;
    // What is prepared for 'one' is the same video again.
    if (loop !== 'one' && this.#back?.until === 'boundary' && this.#back.slot.ready) this.#swap();
    else if (loop === 'shuffle' && this.#front?.item) this.#seek(this.#turn(this.#front, this.#front.item));
    else this.#move(nextTarget);
  }

  previous(): void {
    this.onOwnWay();
    this.asked += 1;
    const front = this.#front;
    const played = front?.item ? front.time - front.item.start : 0;
    if (this.#loop !== 'shuffle' || front === null || played > RESTART_AFTER) return this.#move(previousTarget);
    this.#shuffle = goBack(this.#shuffle, orderOf(front.timeline));
    this.#seek(this.#startOf(front, this.#shuffle.trail[this.#shuffle.place] ?? null));
  }

  /** Changes how the viewer wants to watch. */
  choose(choices: Partial<Choices>): void {
    const before = this.choices.get();
    this.choices.patch(choices);
    const { loop, quality } = this.choices.get();
    if (loop !== before.loop) this.#reorder();
    if (quality !== before.quality) [this.#front, this.#back?.slot].forEach((slot) => slot?.fix(quality));
    this.#applyRate();
  }

  /** What shows; null while nothing does. */
  get showing(): Showing | null {
    const { video, item } = this.#front ?? { video: null, item: null };
    return video === null || item === null ? null : { video, item };
  }

  /** Steps by seconds within the item. */
  step(by: number): void {
    this.onOwnWay();
    this.#move((timeline, time) => stepTarget(timeline, time, by, this.#front?.growing));
  }

  /** Seeks to seconds within the item, to the last moment that exists of one that grows. */
  seek(position: number): void {
    this.onOwnWay();
    const front = this.#front;
    if (front?.item) this.#seek(withinItem(front.item, position, front.growing));
  }

  /** What shows; null while nothing does, or something else is being opened. */
  get whereabouts(): Whereabouts | null {
    const [front, back] = [this.#front, this.#back];
    if (front === null || back?.until === 'ready') return null;
    const { timeline, time, item, flows, source, lengthening } = front;
    return { key: source.key, timeline, time, item, lengthening, flows: flows && !front.video.seeking && !front.video.paused, turning: back !== null && back.slot.source.identity !== source.identity };
  }

  /** Plays a little faster or slower, for as long as this version shows. */
  nudge(rate: number): void {
    const video = this.#front?.video;
    if (video && video.playbackRate !== rate) video.playbackRate = rate;
  }

  /** Goes to a time of the timeline without being asked by the viewer. */
  jump(time: number): void {
    this.#seek(time);
  }

  /** Opens the newest version at a place, behind the picture. */
  join(place: Place): void {
    this.#reopen(place, 'ready');
  }

  setVolume(volume: number): void {
    this.sound.patch(withVolume(volume));
  }

  setMuted(muted: boolean): void {
    this.sound.patch(withMuted(muted, this.sound.get()));
  }

  /** The channel has an order of its own. */
  get #loop(): Choices['loop'] {
    return this.live.get() ? 'list' : this.choices.get().loop;
  }

  /** How fast, as far as it is the viewer's to say: the channel is kept by small changes that are not to be undone. */
  get rate(): number {
    if (this.live.get()) return 1;
    const { speed } = this.choices.get();
    return this.rushing.get() ? Math.max(RUSH, speed) : speed;
  }

  /** Which of the two elements it is: 0 or 1. */
  elementOf(video: HTMLVideoElement): number {
    return video === this.#videos[0] ? 0 : 1;
  }

  #applyRate(): void {
    this.#videos.forEach((video) => applyRate(video, this.rate));
  }

  /** Another way through the list: what was prepared for the item's end may be wrong now. */
  #reorder(): void {
    const front = this.#front;
    this.#shuffle = beginShuffle(Math.random(), front?.item?.videoId ?? null);
    clearTimeout(this.#boundaryTimer);
    this.#boundaryTimer = undefined;
    if (front !== null) this.#itemChanged(front);
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
    this.#leave();
    const video = this.#videos.find((each) => each !== this.#front?.video) ?? this.#videos[0];
    if (until === 'ready') {
      // What showed belongs to another choice: hold its last frame instead of playing on.
      if (this.#front !== null && this.#front.source.key !== source.key) this.#front.video.pause();
      this.playback.patch({ buffering: this.#front?.source.key !== source.key || !this.#front.flows });
    }
    const slot: Slot = new Slot(video, source, this.openDeck, place, this.renew, {
      timeline: () => this.#timelineChanged(slot),
      failed: (failure) => this.#failed(slot, failure),
      levels: () => slot === this.#front && this.#tellLevels(slot),
    });
    slot.fix(this.choices.get().quality);
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
    this.#open(source, gone ? afterItem(shown) : this.#after(shown), gone ? 'ready' : 'boundary');
  }

  /** Another item shows: what waits for its end has to follow this one now. */
  #itemChanged(front: Slot): void {
    if (this.#back?.until !== 'boundary') return;
    if (this.#back.slot.source.identity === front.source.identity) this.#dropBack();
    else this.#back.slot.aim(this.#after(front));
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
    applyRate(back.video, this.rate);
    back.video.setAttribute('data-active', '');
    old?.video.removeAttribute('data-active');
    this.#replace(old, back);
    this.playback.patch({ playing, buffering: false, trouble: null, reel: back.source.key, order: orderOf(back.timeline) });
    this.#tellLevels(back);
    this.#playedSince = back.time;
    this.#itemStart = back.item?.start ?? 0;
    this.#tick();
    if (playing) void this.#run();
  }

  /** The old element stays as it is until the window above all others has left it. */
  #replace(old: Slot | null, now: Slot): void {
    if (old === null) return;
    if (!isFloating(old.video)) return old.close();
    old.video.pause();
    this.#leaving = old;
    void floatInstead(now.video).then(() => this.#leaving === old && this.#leave());
  }

  #leave(): void {
    this.#leaving?.close();
    this.#leaving = null;
  }

  #tellLevels({ levels, level }: Slot): void {
    const known = this.playback.get().levels;
    this.playback.patch({ levels: levels.join() === known.join() ? known : levels, level });
  }

  async #run(): Promise<void> {
    const front = this.#front;
    if (front === null) return;
    applySound(front.video, this.sound.get());
    this.#watchFrames(front);
    if (!(await playAloud(front.video, this.sound))) this.playback.patch({ playing: false });
  }

  /**
   * Looks at the clock with every frame near the end of an item: `timeupdate` alone comes too late for a wrap without a
   * gap, and for the title of a new item. Elsewhere it is enough.
   */
  #watchFrames(slot: Slot): void {
    // Not in every browser that plays HLS by itself.
    if (this.#watched.has(slot) || !('requestVideoFrameCallback' in slot.video) || !this.#endsSoon(slot)) return;
    this.#watched.add(slot);
    slot.video.requestVideoFrameCallback(() => {
      this.#watched.delete(slot);
      if (slot !== this.#front || slot.video.paused) return;
      if (slot.item?.start === this.#itemStart) this.#lookAhead(slot);
      else this.#tick();
      this.#watchFrames(slot);
    });
  }

  #endsSoon({ item, time, video }: Slot): boolean {
    return item !== null && item.start + item.duration - time < WATCH * video.playbackRate;
  }

  /** `sought`: the viewer went there, or we did. */
  #tick(sought = false): void {
    const front = this.#front;
    const item = front?.item;
    if (!front || !item) return;
    const { videoId, start, duration: available } = item;
    if (!sought && start !== this.#itemStart && this.#overran(front, videoId)) return;
    const duration = front.growing ? Math.max(available, this.#reel?.durations.get(videoId) ?? 0) : available;
    if (start !== this.#itemStart) this.#itemChanged(front);
    this.#itemStart = start;
    if (this.#loop === 'shuffle') this.#shuffle = arrive(this.#shuffle, videoId, orderOf(front.timeline));
    this.playback.patch({ videoId, position: Math.min(duration, Math.max(0, front.time - start)), duration, available });
    if (Math.abs(front.time - this.#playedSince) > RECOVERED) this.#attempt = 0;
    this.#lookAhead(front);
    if (!front.video.paused) this.#watchFrames(front);
  }

  #lookAhead(front: Slot): void {
    const { item, end, time } = front;
    if (item === null || front.video.paused || front.growing) return;
    const rate = front.video.playbackRate;
    const last = item.start + item.duration > end - 0.5;
    const boundary = last ? end : item.start + item.duration;
    if (boundary - time > PREPARE * rate) return;
    const target = this.#turn(front, item);
    // A list goes on by itself, and so does what happens to be followed by the next one.
    const turns = last || (this.#loop !== 'list' && Math.abs(target - boundary) > NEXT);
    if (turns && this.#back === null && front.bufferedFrom(target) < ENOUGH) {
      this.#open(front.source, this.#loop === 'list' ? null : this.#after(front), 'boundary');
    }
    const swaps = this.#back?.until === 'boundary';
    if ((!swaps && !turns) || boundary - time > CLOSE * rate || this.#boundaryTimer !== undefined) return;
    this.#boundaryTimer = setTimeout(() => this.#atBoundary(front, item, boundary, turns), (Math.max(0, boundary - time - WRAP) / rate) * 1000);
  }

  #atBoundary(front: Slot, item: Item, boundary: number, turns: boolean): void {
    this.#boundaryTimer = undefined;
    // The viewer may have sought away or paused since.
    if (front !== this.#front || front.video.paused || Math.abs(boundary - front.time) > CLOSE * front.video.playbackRate) return;
    if (this.#back?.until === 'boundary' && this.#back.slot.ready) this.#swap();
    // A late timer may find the next item begun.
    else if (turns) this.#wrap(item);
  }

  #wrap(item = this.#front?.item ?? null): void {
    if (this.#front === null || item === null || this.#front.growing) return;
    this.#seek(this.#turn(this.#front, item));
    if (this.playback.get().playing) void this.#run();
  }

  /** Seconds at which this version of the reel goes on after the showing item, where the viewer wants something else than its order. */
  #turn(front: Slot, item: Item): number {
    if (this.#loop === 'list') return front.firstFrame;
    const order = orderOf(front.timeline);
    return this.#startOf(front, this.#loop === 'one' ? item.videoId : upcoming(this.#shuffle, order));
  }

  /** The start of a video's nearest showing. */
  #startOf(front: Slot, videoId: string | null): number {
    const start = front.timeline[itemOf(front.timeline, videoId ?? '', front.time)]?.start ?? 0;
    return start < NEXT ? front.firstFrame : start;
  }

  /** The same for a version that is being opened. */
  #after(front: Slot): Place {
    if (this.#loop === 'one') return again(front);
    if (this.#loop === 'shuffle') return (timeline) => startOf(upcoming(this.#shuffle, orderOf(timeline)))?.(timeline) ?? 0;
    return afterItem(front);
  }

  /** The item's end passed before it was noticed, as happens in a page that nobody sees: goes where it should have gone. */
  #overran(front: Slot, videoId: string): boolean {
    const loop = this.#loop;
    const { videoId: before, playing } = this.playback.get();
    if (loop === 'list' || !playing || before === null || before === videoId) return false;
    const order = orderOf(front.timeline);
    const wanted = loop === 'one' ? before : upcoming(this.#shuffle, order);
    if (wanted === null || wanted === videoId || !order.includes(wanted)) return false;
    this.#seek(this.#startOf(front, wanted));
    return true;
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
    this.#tick(true);
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
  return { key, url, identity: reelIdentity(url) ?? mediaName(url) };
}
