// Where a viewer comes back to: from an earlier visit, from a page that loaded itself anew, or by a link to a video.
import { decodeBookmark, encodeBookmark } from '../core/decode';
import { isPlayable, type Bookmark, type Room } from '../core/model';
import { offsetIn, type StartPosition } from '../core/start-position';
import { findEntry, type Entry, type State } from '../core/state';
import { bookmarkOf } from '../player/bookmark';
import type { ReelPlayer } from '../player/reel-player';
import { recordingStatus } from '../record/status';
import { panelView, VIEWS } from './panel-view';

type Situation = Readonly<Record<string, unknown>>;

/** What a page that loads itself anew has to keep; null while it must not: a recording would be lost. */
export function situationOf(state: State, player: ReelPlayer | null): Situation | null {
  if (recordingStatus.get() !== null) return null;
  const bookmark = player === null ? null : bookmarkOf(state, player);
  return { view: panelView.get(), bookmark: bookmark === null ? null : encodeBookmark(bookmark) };
}

/** Opens the view that was open before the page loaded anew, and returns the bookmark. */
export function restoreSituation({ view, bookmark }: Situation): Bookmark | null {
  const known = VIEWS.find((each) => each === view);
  if (known !== undefined) panelView.set(known);
  return decodeBookmark(bookmark);
}

export class ReturnPoint {
  #bookmark: Bookmark | null = null;
  /** The viewer is still to be brought to the bookmark. */
  #returning = false;

  /** `linked`: the video that the page's address names, until it has started. */
  constructor(private linked: string | null) {}

  /** The videos that lead the viewer somewhere, as long as they do. */
  get sought(): readonly string[] {
    const { videoId = null } = (this.#returning ? this.#bookmark : null) ?? {};
    return [this.linked, videoId].filter((id) => id !== null);
  }

  set(bookmark: Bookmark | null): void {
    this.#bookmark = bookmark;
    this.#returning = true;
  }

  /** The viewer went elsewhere. */
  leave(): void {
    this.linked = null;
    this.#returning = false;
  }

  /** They are there. */
  arrived(): void {
    this.#returning = false;
  }

  /** Applies the viewer's volume and choices of the last time. */
  applyTo(player: ReelPlayer): void {
    if (this.#bookmark === null) return;
    const { volume, muted, speed, loop, captions, keys, announce } = this.#bookmark;
    player.audio.patch({ volume, muted });
    player.choose({ speed, loop, captions, keys, announce });
  }

  /** Where the reel of a key starts; null for its start. */
  startIn(key: string): StartPosition | null {
    const { selection = null, videoId = null, position = 0 } = this.#bookmark ?? {};
    return !this.#returning || videoId === null || key !== selection ? null : offsetIn(videoId, position);
  }

  /** The linked video in the room; null when there is none, for whom it is hidden from sees what everybody sees. A spoiler is returned once. */
  linkedIn(room: Room): Entry | null {
    if (this.linked === null) return null;
    const entry = findEntry(room, (video) => video.id === this.linked && isPlayable(video));
    if (entry?.video.spoiler !== false) this.linked = null;
    return entry;
  }

  /** The linked video, once, when a reel holds it. */
  takeLinked(ids: ReadonlyMap<string, unknown> | undefined): string | null {
    const { linked } = this;
    if (linked === null || ids?.has(linked) !== true) return null;
    this.linked = null;
    return linked;
  }
}
