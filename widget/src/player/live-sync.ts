// Keeps a player at the moment that everybody sees, while the viewer has not gone their own way.
import type { Schedule } from '../core/model';
import { momentAt } from '../core/schedule';
import { Store } from '../core/store';
import { driftTo, FRESH, LEAD, placeOf, steer, type Steering } from '../core/sync';
import type { Timeline } from '../core/timeline';
import type { Place } from './engine';
import type { ReelPlayer, Whereabouts } from './reel-player';

/** `off`: no channel is selected; `live`: at everybody's moment; `away`: the viewer paused, or plays something else. */
export type Mode = 'off' | 'live' | 'away';

/** Milliseconds between two looks. */
const EVERY = 250;
/** Milliseconds for which the showing version may lack the moment before the newest one is opened there. */
const PATIENCE = 1_500;
/** Seconds before its end within which an item that is about to be replaced is left alone. */
const TURN = 1.5;

export class Conductor {
  readonly mode = new Store<Mode>('off');
  #steering: Steering = FRESH;
  #timer: ReturnType<typeof setInterval> | undefined;
  #lostAt: number | null = null;
  /** It has played since it is live: a pause is one only then. */
  #played = false;
  /** Videos that this browser cannot play are not sought again. */
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

  /** Where the channel begins when it is opened: at the moment, as soon as it could be there. */
  readonly begin: Place = (timeline) => this.#place(timeline, 0, true, LEAD) ?? 0;

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

  /** Back to everybody's moment. */
  join(): void {
    if (this.mode.get() === 'off') return;
    this.#follow();
    this.player.play();
    this.#look();
  }

  #follow(): void {
    this.#steering = FRESH;
    this.#lostAt = null;
    this.#played = false;
    clearInterval(this.#timer);
    this.player.live.set(true);
    this.#timer = setInterval(() => this.#look(), EVERY);
    this.mode.set('live');
  }

  #playbackChanged(): void {
    const { playing, reel, trouble, videoId } = this.player.playback.get();
    if (reel !== this.key) return;
    if (trouble === 'media' && videoId !== null) this.#broken.add(videoId);
    // The system may pause it as well. One that was not allowed to begin is still expected at the moment.
    if (!playing && this.#played) this.leave();
  }

  #look(): void {
    const here = this.player.whereabouts;
    const { playing } = this.player.playback.get();
    // What comes after an opening has yet to find its place.
    if (here === null) this.#steering = FRESH;
    if (here?.key !== this.key || !playing || !here.flows) return;
    this.#played = true;
    const place = this.#place(here.timeline, here.time, here.lengthening);
    if (place === null) return this.#lost();
    const drift = driftTo(here.timeline, place, here.time, here.lengthening);
    if (here.turning && this.#turns(here, drift)) return;
    this.#lostAt = null;
    this.#steering = steer(this.#steering, drift, performance.now() / 1000);
    this.player.nudge(this.#steering.rate);
    if (this.#steering.seek) this.player.jump(this.#place(here.timeline, here.time, here.lengthening, LEAD) ?? place);
  }

  /** Where the moment is, `lead` seconds from now; null when the timeline does not hold it, or it cannot be played. */
  #place(timeline: Timeline, time: number, lengthening: boolean, lead = 0): number | null {
    const [schedule, now] = [this.schedule(), this.now()];
    const moment = schedule && now !== null ? momentAt(schedule, now + lead * 1000) : null;
    if (moment === null || this.#broken.has(moment.videoId)) return null;
    return placeOf(timeline, moment, time, lengthening);
  }

  /** Whether the item may go on to its end, where the new version takes over: its neighbours are other ones there. */
  #turns({ item, time }: Whereabouts, drift: number): boolean {
    if (item === null) return true;
    const target = time + drift;
    if (target >= item.start && target < item.start + item.duration) return false;
    if (item.start + item.duration - time > TURN) this.#lost();
    return true;
  }

  /** The showing version does not have the moment: mostly the next one comes by itself. */
  #lost(): void {
    this.player.nudge(1);
    const [schedule, now] = [this.schedule(), this.now()];
    const moment = schedule && now !== null ? momentAt(schedule, now) : null;
    if (moment === null || this.#broken.has(moment.videoId)) return;
    this.#lostAt ??= performance.now();
    if (performance.now() - this.#lostAt < PATIENCE) return;
    this.#lostAt = null;
    this.#steering = FRESH;
    this.player.join(this.begin);
  }
}
