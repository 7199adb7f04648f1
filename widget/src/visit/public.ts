// A visit to a member's public page: nobody signs in, one reel plays, and what is taken back goes.
import { ApiError, fetchJson } from '../api/http';
import { decodePublicMember } from '../core/public';
import { INITIAL, reduce, selectionOf, type Entry } from '../core/state';
import { Store } from '../core/store';
import type { CreatePlayer } from '../player/load';
import type { ReelPlayer } from '../player/reel-player';
import { selectedReel } from './selected-reel';
import type { Visit } from './visit';

/** Milliseconds between two looks at what is still there. */
const LOOK_AGAIN = 30_000;

export class PageVisit implements Visit {
  readonly state = new Store(INITIAL);
  readonly player: Store<ReelPlayer | null>;
  readonly server = null;
  readonly client = null;
  readonly messenger = null;
  readonly browser = null;
  readonly channel = null;
  readonly settled = new Store(true);
  /** The showing video's id. */
  readonly playing = new Store<string | null>(null);
  readonly #player: ReelPlayer;

  /** `data`: what the page came with. Throws DecodeError. */
  constructor(data: unknown, createPlayer: CreatePlayer, autoplay: boolean) {
    this.#player = createPlayer((url) => url, () => this.refresh(), autoplay);
    this.player = new Store<ReelPlayer | null>(this.#player);
    this.#player.playback.subscribe(() => this.playing.set(this.#player.playback.get().videoId));
    this.#arrived(data);
  }

  /** Begins with a video, with the first one when it is not there; may be called once. */
  start(videoId: string): void {
    const known = selectionOf(this.state.get())?.entries.some(({ video }) => video.id === videoId);
    this.#player.show(selectedReel(this.state.get()), known ? videoId : null);
    this.state.subscribe(() => this.#player.show(selectedReel(this.state.get())));
    document.addEventListener('visibilitychange', () => void this.refresh());
    setInterval(() => {
      if (!document.hidden) void this.refresh();
    }, LOOK_AGAIN);
  }

  onTalk(): () => void {
    // Nobody talks here.
    return () => undefined;
  }

  select(): void {
    this.#player.play();
  }

  pick({ video }: Entry): void {
    if (this.#player.pick(video.id)) return;
    this.#player.show(selectedReel(this.state.get()), video.id);
    this.#player.play();
  }

  showSpoiler(): void {
    // There are none on public pages.
  }

  leaveSpoiler(): void {
    // Nor does anybody come back from one.
  }

  retry(): void {
    location.reload();
  }

  setOverlay(): void {
    // Nobody changes anything here.
  }

  list(): Promise<boolean> {
    // The page came whole.
    return Promise.resolve(true);
  }

  see(): void {
    // Nothing is loaded again.
  }

  members(): Promise<boolean> {
    return Promise.resolve(true);
  }

  async signOut(): Promise<void> {
    // Nobody is signed in.
  }

  async refresh(): Promise<void> {
    try {
      this.#arrived((await fetchJson(`${location.pathname}/reel.json`)).json);
    } catch (error) {
      // Nothing is shown any more: the page says so itself.
      if (error instanceof ApiError && error.status === 404) location.reload();
    }
  }

  #arrived(data: unknown): void {
    this.state.set(reduce(this.state.get(), { type: 'room', room: decodePublicMember(data) }));
  }
}
