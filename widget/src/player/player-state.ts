// What a player shares with the page: what plays, and how the viewer wants to watch.
import { CHOICES, type Choices } from '../core/choices';
import { Store } from '../core/store';
import { AUDIO } from './audio';
import { IDLE, type Playback } from './playback';
import { RUSH } from './rate';

export class PlayerState {
  readonly playback = new Store<Playback>(IDLE);
  readonly audio = new Store(AUDIO);
  readonly choices = new Store<Choices>(CHOICES);
  /** It follows the room's channel: speed and order are not the viewer's. */
  readonly live = new Store(false);
  /** Somebody holds a key to get through quickly. */
  readonly rushing = new Store(false);

  /** The channel has an order of its own. */
  get loop(): Choices['loop'] {
    return this.live.get() ? 'list' : this.choices.get().loop;
  }

  /** How fast, as far as it is the viewer's to say: the channel is kept in sync by small changes that are not to be undone. */
  get rate(): number {
    if (this.live.get()) return 1;
    const { speed } = this.choices.get();
    return this.rushing.get() ? Math.max(RUSH, speed) : speed;
  }
}
