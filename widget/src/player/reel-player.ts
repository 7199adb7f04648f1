// The player as the page uses it: what to show, and what the viewer does with it.
import type { Choices } from '../core/choices';
import type { StartPosition } from '../core/start-position';
import { itemOf, nextTarget, previousTarget, RESTART_AFTER, stepTarget, withinItem } from '../core/timeline';
import { applyAudio, withMuted, withVolume } from './audio';
import type { OpenEngine } from './engine';
import { PlayerState } from './player-state';
import { nudgeRate } from './rate';
import { sourceOf, type Reel, type Showing, type SyncState } from './reel';
import { ReelPlayback } from './reel-playback';

export class ReelPlayer {
  readonly #state = new PlayerState();
  readonly playback = this.#state.playback;
  readonly audio = this.#state.audio;
  readonly choices = this.#state.choices;
  readonly live = this.#state.live;
  readonly rushing = this.#state.rushing;
  /** Called when the viewer goes their own way: pauses, seeks, picks another video. */
  onOwnWay: () => void = () => undefined;
  /** How often the viewer chose a video: a pick, the next or the previous one. */
  picks = 0;
  readonly #reel: ReelPlayback;

  /** `renew` and `onStale` as ReelPlayback takes them. */
  constructor(openEngine: OpenEngine, renew: (url: string) => string, onStale: () => Promise<void>, autoplay: boolean) {
    this.playback.patch({ playing: autoplay });
    this.#reel = new ReelPlayback(this.#state, openEngine, renew, onStale);
    this.audio.subscribe(() => this.#reel.slots.videos.forEach((video) => applyAudio(video, this.audio.get())));
    this.rushing.subscribe(() => this.#reel.applyRate());
    this.live.subscribe(() => {
      this.#reel.applyRate();
      this.#reel.reorder();
    });
  }

  /** Puts the video elements into the page. */
  mount(parent: HTMLElement): void {
    parent.prepend(...this.#reel.slots.videos);
  }

  /** What should play. A newer version of the same reel takes over at the item's end, or at once when the item is gone. */
  show(reel: Reel | null, startAt: string | null = null): void {
    this.#reel.show(reel, startAt);
  }

  toggle(): void {
    if (this.playback.get().playing) this.pause();
    else this.play();
  }

  play(): void {
    this.playback.patch({ playing: true });
    void this.#reel.run();
  }

  pause(): void {
    this.onOwnWay();
    this.playback.patch({ playing: false });
    this.#reel.slots.front?.video.pause();
  }

  /** Plays a video of this reel; false when the reel does not hold it. */
  pick(videoId: string): boolean {
    this.onOwnWay();
    this.picks += 1;
    const { reel, slots: { front } } = this.#reel;
    if (front === null || reel?.key !== front.source.key) return false;
    const item = front.timeline[itemOf(front.timeline, videoId, front.time)];
    if (item === undefined) {
      if (!reel.durations.has(videoId)) return false;
      // The reel is the newest and still without it: of the videos in progress, it holds one at a time.
      if (front.source.identity === sourceOf(reel).identity) return true;
      this.show(reel, videoId);
    } else this.#reel.seek(item.start);
    this.play();
    return true;
  }

  next(): void {
    this.onOwnWay();
    this.picks += 1;
    const { front } = this.#reel.slots;
    // What is prepared for 'one' is the same video again.
    if (this.#state.loop !== 'one' && this.#reel.skip()) return;
    if (this.#state.loop === 'shuffle' && front?.item) this.#reel.seek(this.#reel.order.next(front, front.item));
    else this.#reel.move(nextTarget);
  }

  previous(): void {
    this.onOwnWay();
    this.picks += 1;
    const { front } = this.#reel.slots;
    const played = front?.item ? front.time - front.item.start : 0;
    if (this.#state.loop !== 'shuffle' || front === null || played > RESTART_AFTER) return this.#reel.move(previousTarget);
    this.#reel.seek(this.#reel.order.previous(front));
  }

  /** Changes how the viewer wants to watch. */
  choose(choices: Partial<Choices>): void {
    const before = this.choices.get();
    this.choices.patch(choices);
    const { loop, quality } = this.choices.get();
    if (loop !== before.loop) this.#reel.reorder();
    if (quality !== before.quality) this.#reel.slots.fix(quality);
    this.#reel.applyRate();
  }

  /** What shows; null while nothing does. */
  get showing(): Showing | null {
    const { front } = this.#reel.slots;
    const item = front?.item ?? null;
    return front === null || item === null ? null : { video: front.video, item };
  }

  /** Steps by seconds within the item. */
  step(by: number): void {
    this.onOwnWay();
    this.#reel.move((timeline, time) => stepTarget(timeline, time, by, this.#reel.slots.front?.itemInProgress));
  }

  /** Seeks to seconds within the item, at most to where one in progress ends so far. */
  seek(position: number): void {
    this.onOwnWay();
    const { front } = this.#reel.slots;
    if (front?.item) this.#reel.seek(withinItem(front.item, position, front.itemInProgress));
  }

  /** What shows; null while nothing does, or something else is being opened. */
  get syncState(): SyncState | null {
    const { front, back } = this.#reel.slots;
    if (front === null || back?.until === 'ready') return null;
    const { timeline, time, item, source, inProgress, video } = front;
    return { key: source.key, timeline, time, item, inProgress, advancing: front.hasData && !video.seeking && !video.paused, replaced: back !== null && back.slot.source.identity !== source.identity };
  }

  /** Plays a little faster or slower, for as long as this version shows. */
  nudge(rate: number): void {
    const video = this.#reel.slots.front?.video;
    if (video) nudgeRate(video, rate);
  }

  /** Seeks to a time of the timeline, not on the viewer's behalf. */
  syncTo(time: number): void {
    this.#reel.seek(time);
  }

  /** Opens the newest version, behind the showing video. */
  reopen(start: StartPosition): void {
    this.#reel.openNewest(start, 'ready');
  }

  setVolume(volume: number): void {
    this.audio.patch(withVolume(volume));
  }

  setMuted(muted: boolean): void {
    this.audio.patch(withMuted(muted, this.audio.get()));
  }

  get rate(): number {
    return this.#state.rate;
  }

  /** Which of the two elements it is: 0 or 1. */
  indexOf(video: HTMLVideoElement): number {
    return this.#reel.slots.videos.indexOf(video);
  }
}
