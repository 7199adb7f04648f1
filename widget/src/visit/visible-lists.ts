// Of a large room, what shows is loaded: the lists of the selection, and what plays.
import type { ListPart } from '../core/room/parts';
import { listsOf, windowOf } from '../core/lists';
import type { Room } from '../core/model';
import { EVERYONE, findEntry, selectionOf, type State } from '../core/state';
import { IN_TURN } from '../core/together';

/** Milliseconds after which a list that did not come is requested again. */
const AGAIN = 3_000;

/** Who loads them. */
interface Loader {
  setShown(lists: readonly string[]): void;
  list(of: string, part: ListPart): Promise<boolean>;
  find(videoId: string): Promise<void>;
}

export class VisibleLists {
  readonly #loading = new Set<string>();
  #found = '';
  #again: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly loader: () => Loader | null) {}

  /** Loads what the selection lists: around a video of `sought`, where one is in it, else from the start. `again` is called when one did not come. */
  show(state: State, sought: readonly string[], again: () => void): void {
    clearTimeout(this.#again);
    const { room } = state;
    const [loader, selection] = [this.loader(), selectionOf(state)];
    if (room === null || selection === null || loader === null) return;
    const lists = selection.key === IN_TURN ? [EVERYONE] : listsOf(selection.key, selection.turns);
    loader.setShown(lists);
    for (const of of lists.filter((each) => windowOf(room, each)?.loaded === false && !this.#loading.has(each))) {
      this.#loading.add(of);
      const there = lists.length > 1 ? undefined : sought.find((id) => findEntry(room, (video) => video.id === id)?.owner.userId === of);
      void loader.list(of, there === undefined ? 'first' : { around: there }).then((loaded) => {
        this.#loading.delete(of);
        if (!loaded) this.#again = setTimeout(() => again(), AGAIN);
      });
    }
  }

  /** Learns of what leads the viewer somewhere; once. */
  async find(room: Room, sought: readonly string[]): Promise<void> {
    const loader = this.loader();
    const unknown = sought.filter((id) => findEntry(room, (video) => video.id === id) === null);
    if (loader !== null) await Promise.all(unknown.map((id) => loader.find(id)));
  }

  /** Learns of what plays. */
  follow(room: Room | null, videoId: string | null): void {
    if (room?.large == null || videoId === null || videoId === this.#found) return;
    this.#found = videoId;
    void this.find(room, [videoId]);
  }
}
