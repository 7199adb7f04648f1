// The room's channel while somebody looks at it: the server's time, the player kept in sync, and a notification to the others.
import { LiveClock } from '../api/live-clock';
import type { Server } from '../api/server';
import { Watching } from '../api/watching';
import type { Sample } from '../core/clock';
import { EVERYONE, type State } from '../core/state';
import { LiveSync, type Mode } from '../player/live-sync';
import type { ReelPlayer } from '../player/reel-player';
import type { StartPosition } from '../core/start-position';
import type { Store } from '../core/store';

export class Channel {
  readonly #clock = new LiveClock();
  readonly #sync: LiveSync;
  readonly #watching: Watching;
  #known: readonly string[] = [];

  constructor(
    private readonly visit: { readonly state: Store<State>; readonly server: Server | null },
    private readonly player: ReelPlayer,
  ) {
    this.#sync = new LiveSync(EVERYONE, player, () => visit.state.get().room?.schedule ?? null, () => this.#clock.now());
    this.#watching = new Watching(() => visit.server);
    visit.state.subscribe(() => this.#stateChanged());
    player.playback.subscribe(() => this.#notifyOthers());
    this.#stateChanged();
  }

  get mode(): Store<Mode> {
    return this.#sync.mode;
  }

  /** Where the channel begins when it is opened. */
  get begin(): StartPosition {
    return this.#sync.begin;
  }

  /** Back to the channel's time. */
  join(): void {
    this.#sync.join();
  }

  /** Milliseconds since the epoch by the server; null while it is not known. */
  now(): number | null {
    return this.#clock.now();
  }

  /** Takes a sample of the server's time into account. */
  learn(sample: Sample): void {
    this.#clock.learn(sample);
  }

  #stateChanged(): void {
    const { room, selected, viewer } = this.visit.state.get();
    if (selected === EVERYONE && room !== null && room.schedule !== null) {
      this.#clock.start();
      this.#sync.start();
    } else {
      this.#clock.stop();
      this.#sync.stop();
    }
    this.#notifyOthers();
    if (room === null || viewer === null || room.watching === this.#known) return;
    this.#known = room.watching;
    this.#watching.heard(room.watching.includes(viewer));
  }

  #notifyOthers(): void {
    const { playing, reel } = this.player.playback.get();
    this.#watching.set(this.mode.get() !== 'off' && playing && reel === EVERYONE);
  }
}
