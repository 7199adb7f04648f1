// Keeps a player in sync with the channel, while the viewer has not gone their own way.
import type { Schedule } from '../core/model';
import { channelAt, type ChannelPosition } from '../core/schedule';
import type { StartPosition } from '../core/start-position';
import { Store } from '../core/store';
import { driftTo, FRESH, LEAD, rest, steer, timeOf, type Steering } from '../core/sync';
import type { Timeline } from '../core/timeline';
import type { SyncState } from './reel';
import type { ReelPlayer } from './reel-player';

/** `off`: no channel is selected; `live`: in sync with it; `away`: the viewer paused, or plays something else. */
export type Mode = 'off' | 'live' | 'away';

/** Milliseconds between two measurements of the drift. */
const EVERY = 250;
/** Milliseconds for which the showing version may lack what the channel shows before the newest one is opened. */
const PATIENCE = 1_500;
/** Seconds before its end within which an item is left alone when a newer version takes over there. */
const TURN = 1.5;

export class LiveSync {
  readonly mode = new Store<Mode>('off');
  #steering: Steering = FRESH;
  #timer: ReturnType<typeof setInterval> | undefined;
  #missingSince: number | null = null;
  /** It has played since it is live: a pause is one only then. */
  #played = false;
  /** Videos that this browser cannot play: it does not seek to them again. */
  readonly #broken = new Set<string>();

  constructor(
    private readonly key: string,
    private readonly player: ReelPlayer,
    private readonly schedule: () => Schedule | null,
    /** Milliseconds on the server's clock; null while it is not known. */
    private readonly now: () => number | null,
  ) {
    player.onOwnWay = () => this.leave();
    player.playback.subscribe(() => this.#playbackChanged());
  }

  /** Where the channel starts when it is opened: where it is by the time that it plays. */
  readonly begin: StartPosition = (timeline) => this.#target(timeline, 0, true, LEAD) ?? 0;

  /** The channel was selected. */
  start(): void {
    if (this.mode.get() === 'off') this.#follow();
  }

  /** Something else was selected. */
  stop(): void {
    this.player.live.set(false);
    clearInterval(this.#timer);
    this.mode.set('off');
  }

  /** The viewer goes their own way. */
  leave(): void {
    if (this.mode.get() !== 'live') return;
    clearInterval(this.#timer);
    this.player.live.set(false);
    this.mode.set('away');
  }

  /** Back to the channel. */
  join(): void {
    if (this.mode.get() === 'off') return;
    this.#follow();
    this.player.play();
    this.#correct();
  }

  #follow(): void {
    this.#steering = FRESH;
    this.#missingSince = null;
    this.#played = false;
    clearInterval(this.#timer);
    this.player.live.set(true);
    this.#timer = setInterval(() => this.#correct(), EVERY);
    this.mode.set('live');
  }

  #playbackChanged(): void {
    const { playing, reel, problem, videoId } = this.player.playback.get();
    if (reel !== this.key) return;
    if (problem === 'media' && videoId !== null) this.#broken.add(videoId);
    // The system may pause it as well. One that was not allowed to start still follows the channel.
    if (!playing && this.#played) this.leave();
  }

  #correct(): void {
    const here = this.player.syncState;
    const { playing } = this.player.playback.get();
    // What is being opened starts over.
    if (here === null) this.#steering = FRESH;
    if (here?.key !== this.key || !playing || !here.advancing) return;
    this.#played = true;
    const target = this.#target(here.timeline, here.time, here.inProgress);
    if (target === null) return this.#missing();
    const drift = driftTo(here.timeline, target, here.time, here.inProgress);
    if (here.replaced && this.#endsFirst(here, drift)) return this.#rest();
    this.#missingSince = null;
    this.#steering = steer(this.#steering, drift, performance.now() / 1000);
    this.player.nudge(this.#steering.rate);
    if (this.#steering.seek) this.player.syncTo(this.#target(here.timeline, here.time, here.inProgress, this.#steering.lead) ?? target);
  }

  /** What the channel shows `lead` seconds from now; null when that is not known, or cannot be played here. */
  #channel(lead = 0): ChannelPosition | null {
    const [schedule, now] = [this.schedule(), this.now()];
    const position = schedule && now !== null ? channelAt(schedule, now + lead * 1000) : null;
    return position === null || this.#broken.has(position.videoId) ? null : position;
  }

  /** Where on the timeline that is; null also when it is not there. */
  #target(timeline: Timeline, time: number, inProgress: boolean, lead = 0): number | null {
    const position = this.#channel(lead);
    return position && timeOf(timeline, position, time, inProgress);
  }

  /** Whether the item may go on to its end, where the new version takes over: its neighbours are other ones there. */
  #endsFirst({ item, time }: SyncState, drift: number): boolean {
    if (item === null) return true;
    const target = time + drift;
    if (target >= item.start && target < item.start + item.duration) return false;
    if (item.start + item.duration - time > TURN) this.#missing();
    return true;
  }

  /** Its own speed. */
  #rest(): void {
    this.#steering = rest(this.#steering);
    this.player.nudge(1);
  }

  /** The showing version does not have what the channel shows: mostly the next one comes by itself. */
  #missing(): void {
    this.#rest();
    if (this.#channel() === null) return;
    this.#missingSince ??= performance.now();
    if (performance.now() - this.#missingSince < PATIENCE) return;
    this.#missingSince = null;
    this.#steering = FRESH;
    this.player.reopen(this.begin);
  }
}
