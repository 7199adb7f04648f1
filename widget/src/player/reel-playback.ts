// Keeps one reel playing without end: opens its playlist, wraps before its end, swaps to newer versions, and recovers from failures.
import { isBuffered, itemEnd } from '../core/item-end';
import { PlayOrder } from '../core/play-order';
import { reelChange, takeoverOf, type Source } from '../core/reel-change';
import { afterItem, resume, startOf, type StartPosition } from '../core/start-position';
import { orderOf, type Item, type Timeline } from '../core/timeline';
import { applyAudio, playWithAudio } from './audio';
import { BoundaryTimer } from './boundary-timer';
import type { Failure, OpenEngine } from './engine';
import { FrameWatch } from './frame-watch';
import { IDLE } from './playback';
import type { PlayerState } from './player-state';
import { applyRate } from './rate';
import { Recovery } from './recovery';
import { sourceOf, type Reel } from './reel';
import { Slot } from './slot';
import { Slots, type Opening } from './slots';

export class ReelPlayback {
  readonly order: PlayOrder;
  readonly slots: Slots;
  readonly #recovery = new Recovery();
  readonly #boundary = new BoundaryTimer();
  readonly #frames = new FrameWatch((slot) => this.#frame(slot));
  /** What should play. */
  reel: Reel | null = null;
  /** Where a video in progress was when its reel went away: made anew, it comes back. */
  #left: { readonly key: string; readonly start: StartPosition | null } | null = null;
  #itemStart = 0;

  /** `renew` puts a URL under the newest grant; `onStale` is called when the server refused one, fetches newer ones and never rejects. */
  constructor(
    private readonly state: PlayerState,
    private readonly openEngine: OpenEngine,
    private readonly renew: (url: string) => string,
    private readonly onStale: () => Promise<void>,
  ) {
    this.order = new PlayOrder(() => state.loop);
    this.slots = new Slots({
      moved: () => this.#tick(),
      ended: () => this.#wrap(),
      waiting: () => this.#waits(),
      playable: () => this.#canPlay(),
      // The system paused it (headphones unplugged, a call): the button must not claim otherwise.
      paused: () => this.slots.back?.until !== 'ready' && !document.hidden && state.playback.patch({ playing: false }),
      prepared: () => this.#prepared(),
    });
  }

  /** What should play. A newer version of the same reel takes over at the item's end, or at once when the item is gone. */
  show(reel: Reel | null, startAt: string | null = null): void {
    this.reel = reel;
    if (reel === null) return this.#clear();
    const source = sourceOf(reel);
    const { front, back } = this.slots;
    const current = { shown: front?.source ?? null, needsFreshUrl: front?.needsFreshUrl === true, opening: back?.slot.source ?? null, left: this.#left?.key ?? null };
    switch (reelChange(source, current, startAt !== null)) {
      case 'wait':
        return;
      case 'return':
        return this.#open(source, this.#left?.start ?? null, 'ready');
      case 'open':
        return this.#open(source, startAt === null ? reel.begin ?? null : startOf(startAt), 'ready');
      case 'replace':
        return front === null ? undefined : this.#replace(front, source, reel);
      case 'keep':
        return this.#keep();
    }
  }

  /** Shows at once what was prepared for the item's end; false when nothing is ready. */
  skip(): boolean {
    const { back } = this.slots;
    const prepared = back?.until === 'boundary' && back.slot.ready;
    if (prepared) this.#swap();
    return prepared;
  }

  applyRate(): void {
    this.slots.videos.forEach((video) => applyRate(video, this.state.rate));
  }

  /** Another way through the list: what was prepared for the item's end may be wrong now. */
  reorder(): void {
    const { front } = this.slots;
    this.order.restart(Math.random(), front?.item?.videoId ?? null);
    this.#boundary.cancel();
    if (front !== null) this.#itemChanged(front);
  }

  #canPlay(): void {
    const { front, back } = this.slots;
    this.state.playback.patch({ buffering: false });
    // Recovering from a decoding error pauses the element without an event.
    if (this.state.playback.get().playing && front?.video.paused === true && back?.until !== 'ready') void this.run();
  }

  /** Prepares a source on the element that does not show. */
  #open(source: Source, start: StartPosition | null, until: Opening['until']): void {
    this.#boundary.cancel();
    this.#recovery.cancel();
    const video = this.slots.takeBack();
    const { front } = this.slots;
    if (until === 'ready') {
      // What showed belongs to another choice: hold its last frame instead of playing on.
      if (front !== null && front.source.key !== source.key) front.video.pause();
      this.state.playback.patch({ buffering: front?.source.key !== source.key || !front.hasData });
    }
    const slot: Slot = new Slot(video, source, this.openEngine, start, this.renew, {
      timeline: () => this.#timelineChanged(slot),
      failed: (failure) => this.#failed(slot, failure),
      levels: () => slot === this.slots.front && this.#publishLevels(slot),
    });
    slot.fix(this.state.choices.get().quality);
    this.slots.prepare(slot, until);
  }

  /** Opens the newest version of the reel. */
  openNewest(start: StartPosition | null, until: Opening['until']): void {
    if (this.reel !== null) this.#open(sourceOf(this.reel), start, until);
  }

  /** What was being prepared is no longer wanted; what shows is right. */
  #keep(): void {
    this.#dropBack();
    const { front } = this.slots;
    this.state.playback.patch({ buffering: front?.hasData === false });
    if (this.state.playback.get().playing && front?.video.paused) void this.run();
  }

  /** A newer version takes over. */
  #replace(shown: Slot, source: Source, reel: Reel): void {
    const takeover = takeoverOf(shown.item?.videoId, shown.failure !== null || shown.starved || shown.lags, { has: (id) => reel.durations.has(id) || reel.mayHold?.(id) === true });
    if (takeover === 'resume') this.#open(source, resume(shown, shown.failure === 'media'), 'ready');
    else if (takeover === 'skip') this.#open(source, afterItem(shown), 'ready');
    else this.#open(source, this.order.takeover(shown), 'boundary');
  }

  /** Another item shows: what waits for its end has to follow this one now. */
  #itemChanged(front: Slot): void {
    const { back } = this.slots;
    if (back?.until !== 'boundary') return;
    if (back.slot.source.identity === front.source.identity) this.#dropBack();
    else back.slot.aim(this.order.takeover(front));
  }

  #waits(): void {
    this.state.playback.patch({ buffering: true });
    const { front, back } = this.slots;
    // A newer version need not wait for an end that is not there yet.
    if (back?.until === 'boundary' && (front?.starved || (front?.lags && back.slot.source.identity !== front.source.identity))) this.#open(back.slot.source, resume(front), 'ready');
  }

  #dropBack(): void {
    this.slots.dropBack();
    this.#boundary.cancel();
  }

  #clear(): void {
    const { front } = this.slots;
    if (front?.itemInProgress) {
      const { item, time, source } = front;
      this.#left = { key: source.key, start: resume({ item, time }) };
    }
    this.#boundary.cancel();
    this.#recovery.cancel();
    this.slots.clear();
    this.state.playback.set({ ...IDLE, playing: this.state.playback.get().playing });
  }

  /** Something may have become ready behind the showing video. */
  #prepared(): void {
    const { back } = this.slots;
    if (back?.until === 'ready' && back.slot.ready) this.#swap();
  }

  #swap(): void {
    const { playing } = this.state.playback.get();
    const front = this.slots.swap();
    if (front === null) return;
    this.#left = null;
    this.#boundary.cancel();
    applyAudio(front.video, this.state.audio.get());
    applyRate(front.video, this.state.rate);
    this.state.playback.patch({ playing, buffering: false, problem: null, reel: front.source.key, order: orderOf(front.timeline) });
    this.#publishLevels(front);
    this.#recovery.playFrom(front.time);
    this.#itemStart = front.item?.start ?? 0;
    this.#tick();
    if (playing) void this.run();
  }

  #publishLevels({ levels, level }: Slot): void {
    const known = this.state.playback.get().levels;
    this.state.playback.patch({ levels: levels.join() === known.join() ? known : levels, level });
  }

  /** Plays what shows. */
  async run(): Promise<void> {
    const { front } = this.slots;
    if (front === null) return;
    applyAudio(front.video, this.state.audio.get());
    this.#frames.watch(front);
    if (!(await playWithAudio(front.video, this.state.audio))) this.state.playback.patch({ playing: false });
  }

  #frame(slot: Slot): boolean {
    if (slot !== this.slots.front || slot.video.paused) return false;
    if (slot.item?.start === this.#itemStart) this.#lookAhead(slot, slot.item);
    else this.#tick();
    return true;
  }

  /** `sought`: the viewer went there, or we did. */
  #tick(sought = false): void {
    const { front } = this.slots;
    const item = front?.item;
    if (!front || !item) return;
    const { videoId, start, duration: available } = item;
    if (!sought && start !== this.#itemStart && this.#correct(front)) return;
    const duration = front.itemInProgress ? Math.max(available, this.reel?.durations.get(videoId) ?? 0) : available;
    if (start !== this.#itemStart) this.#itemChanged(front);
    this.#itemStart = start;
    this.order.arrived(videoId, front.timeline);
    this.state.playback.patch({ videoId, position: Math.min(duration, Math.max(0, front.time - start)), duration, available });
    this.#recovery.playedTo(front.time);
    this.#lookAhead(front, item);
    if (!front.video.paused) this.#frames.watch(front);
  }

  #lookAhead(front: Slot, item: Item): void {
    const { end, time, video: { paused, playbackRate: rate } } = front;
    if (paused || front.itemInProgress) return;
    const ahead = itemEnd(item, { time, end, rate }, this.state.loop, () => this.order.next(front, item));
    if (ahead === null) return;
    if (ahead.turns && this.slots.back === null && !isBuffered(front.bufferedFrom(ahead.target))) {
      this.#open(front.source, this.state.loop === 'list' ? null : this.order.takeover(front), 'boundary');
    }
    if (this.slots.back?.until !== 'boundary' && !ahead.turns) return;
    this.#boundary.set(front, ahead.at, () => {
      // A late timer may find the next item begun.
      if (front === this.slots.front && !this.skip() && ahead.turns) this.#wrap(item);
    });
  }

  #wrap(item = this.slots.front?.item ?? null): void {
    const { front } = this.slots;
    if (front === null || item === null || front.itemInProgress) return;
    this.seek(this.order.next(front, item));
    if (this.state.playback.get().playing) void this.run();
  }

  /** The item's end may have passed before it was noticed, as happens in a page that nobody sees: goes where it should have gone. */
  #correct(front: Slot): boolean {
    const { videoId, playing } = this.state.playback.get();
    const target = playing ? this.order.correction(front, videoId) : null;
    if (target !== null) this.seek(target);
    return target !== null;
  }

  move(target: (timeline: Timeline, time: number) => number): void {
    const { front } = this.slots;
    if (front !== null && front.timeline.length > 0) this.seek(target(front.timeline, front.time));
  }

  /** Seeks to a time of the timeline. */
  seek(time: number): void {
    const { front } = this.slots;
    if (front === null) return;
    this.#boundary.cancel();
    front.video.currentTime = time;
    this.#recovery.playFrom(time);
    this.#tick(true);
  }

  #timelineChanged(slot: Slot): void {
    if (slot !== this.slots.front) return;
    this.state.playback.patch({ order: orderOf(slot.timeline) });
    this.#tick();
  }

  /** Opens it at the same place again behind the standing frame, later each time. */
  #failed(slot: Slot, failure: Failure): void {
    const { front, back } = this.slots;
    if (slot !== front && slot !== back?.slot) return;
    slot.failure = failure;
    const { item, time, aimed } = slot;
    const start = slot === front ? resume(slot, failure === 'media') : failure === 'media' ? resume({ item, time }, true) : aimed;
    // A new version that failed to load leaves the old one playing; it is tried again all the same.
    const until = back?.slot === slot ? back.until : 'ready';
    const wait = this.#recovery.schedule(failure, () => void this.#renewAndReopen(slot, failure, start, until));
    if (until === 'ready' && wait > 0) this.state.playback.patch({ problem: failure === 'media' ? 'media' : 'network', buffering: true });
  }

  async #renewAndReopen(slot: Slot, failure: Failure, start: StartPosition | null, until: Opening['until']): Promise<void> {
    if (failure === 'stale') await this.onStale();
    const { front, back } = this.slots;
    // The room's new state may have opened something else in the meantime.
    const recovers = slot === front && back?.until === 'ready';
    if (!recovers && (slot === front || slot === back?.slot)) this.openNewest(start, until);
  }
}
