// What the viewer does with videos: menu, keys and dragging all come here; says what became of it.
import { EditQueue, type EditEvent, type EditRefusal } from '../../api/edit-queue';
import { decodeReasons } from '../../core/decode';
import { takesAway, type Edit } from '../../core/edits';
import { movedTo } from '../../core/order';
import { windowOf } from '../../core/lists';
import type { Member, Video } from '../../core/model';
import type { Entry } from '../../core/state';
import { Store } from '../../core/store';
import type { Visit } from '../../visit/visit';
import { dragRow } from './drag';
import { focusRequest, listed, menuOf, renaming, reviewing, rowHandler, type DragArea, type RowHandler } from './list-state';
import { Notices, type Message, type Toast } from './notices';

/** What the viewer has to confirm, or to copy, in a dialog. */
export type Question =
  | { readonly type: 'publish'; readonly video: Video; readonly address: string }
  | { readonly type: 'report'; readonly video: Video }
  | { readonly type: 'address'; readonly video: Video | null; readonly address: string };

export type Direction = 'up' | 'down' | 'top' | 'end';

/** Milliseconds for which a notice stays, and for which a deletion in progress can be undone. */
const READ = 5_000;
const UNDO = 8_000;
/** Milliseconds before the server's end at which 'Undo' goes: a press must still arrive. */
const ARRIVES = 400;

export class VideoActions implements RowHandler {
  readonly notices = new Notices();
  readonly question = new Store<Question | null>(null);
  readonly queue: EditQueue;
  readonly #undoing = new Map<string, { readonly owner: string; readonly index: number; readonly toast: number }>();

  constructor(private readonly visit: Visit) {
    this.queue = new EditQueue(visit, (event) => this.#notice(event), () => visit.channel?.now() ?? null);
  }

  rename(video: Video, title: string): void {
    this.queue.change(video, { title });
    this.notices.say({ id: 'widget-renamed', values: { title } });
  }

  setVisibility(video: Video, visibility: 'shown' | 'hidden'): void {
    this.queue.change(video, { visibility });
    this.notices.say({ id: visibility === 'hidden' ? 'widget-hidden' : 'widget-shown', video });
  }

  setVideoAvatar(video: Video, isVideoAvatar: boolean): void {
    this.queue.change(video, { isVideoAvatar });
    this.notices.say({ id: isVideoAvatar ? 'widget-avatar-set' : 'widget-avatar-unset', video });
  }

  /** Publishes at once where the viewer has published before; else opens the question, which says what it means. */
  publish({ video, owner }: Entry, confirmed = false): void {
    const address = pageOf(owner.userId);
    if (!confirmed && !owner.videos.some(({ published }) => published)) return this.question.set({ type: 'publish', video, address });
    this.queue.change(video, { published: true });
    this.#toast('done', { id: 'widget-published', video }, 2 * READ, { address });
  }

  unpublish(video: Video): void {
    this.queue.change(video, { published: false });
    this.#toast('done', { id: 'widget-unpublished', video });
  }

  report(video: Video, reason: string): void {
    this.queue.report(video, reason);
  }

  dismissReports(video: Video): void {
    this.queue.dismissReports(video);
    this.notices.say({ id: 'widget-reports-dismissed', video });
  }

  approve(video: Video): void {
    this.queue.change(video, { visibility: 'shown' });
    this.#toast('done', { id: 'widget-approved', video });
  }

  reject(entry: Entry, reason: string): void {
    this.#takeAway(entry, 'widget-rejected');
    this.queue.reject(entry.video, reason);
  }

  block(entry: Entry, reason: string): void {
    this.#leaveRow(entry.video);
    this.queue.block(entry.video, reason);
  }

  delete(entry: Entry): void {
    this.#takeAway(entry, 'widget-deleted');
    this.queue.delete(entry.video);
  }

  /** The viewer sent it. */
  isOwn({ owner }: Entry): boolean {
    return owner.userId === this.visit.state.get().viewer;
  }

  /** Fetches what members said against a video. Rejects with ApiError, ClientError or DecodeError. */
  async reasons({ id }: Video): Promise<readonly string[]> {
    return decodeReasons(await this.visit.server?.call('GET', `/api/v1/videos/${encodeURIComponent(id)}/reports`));
  }

  async move({ video, owner }: Entry, where: Direction): Promise<void> {
    const ids = await this.#orderOf(owner);
    const index = ids?.indexOf(video.id) ?? -1;
    if (ids === null || index === -1) return;
    this.#moveTo(video, owner.userId, ids, { up: index - 1, down: index + 1, top: 0, end: ids.length - 1 }[where]);
    focusRequest.set({ videoId: video.id, part: 'body' });
  }

  /** Whether it can be moved there in the list that shows. */
  mayMove({ video, owner }: Entry, where: Direction): boolean {
    if (!owner.canOrder || this.visit.state.get().selected !== owner.userId) return false;
    const last = where === 'up' || where === 'top' ? owner.videos[0] : owner.videos.at(-1);
    return owner.more > 0 || last?.id !== video.id;
  }

  startDrag(event: PointerEvent, entry: Entry, area: DragArea): void {
    dragRow(event, entry, area, (to) => void this.#drop(entry, to));
  }

  /** `to`: among the rows that show. */
  async #drop({ video, owner }: Entry, to: number): Promise<void> {
    const { room } = this.visit.state.get();
    const start = (room && windowOf(room, owner.userId))?.start ?? 0;
    const ids = await this.#orderOf(owner);
    if (ids !== null) this.#moveTo(video, owner.userId, ids, start + to);
  }

  /** All of a member's videos: an order is one of all of them. Null, which is said, where not all can be loaded. */
  async #orderOf({ userId }: Member): Promise<readonly string[] | null> {
    // Also where all are known, in parts: what is moved out of the part that shows would be gone from it.
    const loaded = this.#showsWhole(userId) || (await this.visit.list(userId, 'whole'));
    const now = this.visit.state.get().room?.members.find((member) => member.userId === userId);
    if (loaded && now?.more === 0) return now.videos.map(({ id }) => id);
    this.#toast('refused', { id: 'widget-refused-order-server' }, 2 * READ);
    return null;
  }

  #showsWhole(userId: string): boolean {
    const { room } = this.visit.state.get();
    const window = room && windowOf(room, userId);
    return window === null || (window.loaded && !window.before && !window.after);
  }

  handleKey(event: KeyboardEvent, entry: Entry): boolean {
    const { can } = entry.video;
    if (event.ctrlKey || event.metaKey || event.shiftKey) return false;
    const directions: Record<string, Direction> = { ArrowUp: 'up', ArrowDown: 'down', Home: 'top', End: 'end' };
    const where = directions[event.key];
    if (event.altKey && where !== undefined) {
      if (this.mayMove(entry, where)) void this.move(entry, where);
      return true;
    }
    if (event.key === 'F2' && can.has('rename')) renaming.set(entry.video.id);
    else if (event.key === 'Delete' && can.has('delete')) this.delete(entry);
    else return false;
    return true;
  }

  /** Copies the link to a video; where the frame may not, it is shown to be copied by hand. */
  async copyLink({ video, owner }: Entry): Promise<void> {
    const page = new URL('/widget/', location.href);
    page.search = new URLSearchParams({ room_id: this.visit.state.get().room?.roomId ?? '', video: video.id }).toString();
    await this.copy(video.published ? `${pageOf(owner.userId)}#${video.id}` : page.href, video);
  }

  async copy(address: string, video: Video | null = null): Promise<void> {
    try {
      await navigator.clipboard.writeText(address);
      this.#toast('done', { id: 'widget-copied' });
    } catch {
      this.question.set({ type: 'address', video, address });
    }
  }

  /** The focus goes back to where the question came from. */
  closeQuestion(): void {
    const video = this.question.get()?.video;
    this.question.set(null);
    if (video) focusRequest.set({ videoId: video.id, part: 'more' });
  }

  /** The viewer is done with looking at it: the focus goes to its row, or else to what waits still. */
  closeReview({ id }: Video): void {
    reviewing.set(null);
    focusRequest.set(listed.get()?.has(id) === true ? { videoId: id, part: 'body' } : 'queue');
  }

  /** It is not there any more. */
  reviewEnded(video: Video | null): void {
    reviewing.set(null);
    if (video !== null) this.#toast('refused', { id: 'widget-refused-gone', video });
  }

  /** Says that it went, with a way back. */
  #takeAway({ video, owner }: Entry, id: string): void {
    const index = owner.videos.findIndex((each) => each.id === video.id);
    this.#leaveRow(video);
    const toast = this.#toast('deleted', { id, video }, UNDO, { undo: () => this.#undo(video) });
    this.#undoing.set(video.id, { owner: owner.userId, index, toast });
  }

  /** Its row goes: the focus goes on to the next one. */
  #leaveRow({ id }: Video): void {
    const next = listed.get()?.beside(id) ?? null;
    if (next !== null) focusRequest.set({ videoId: next, part: 'body' });
  }

  #undo(video: Video): void {
    const { owner, index } = this.#undoing.get(video.id) ?? { owner: '', index: 0 };
    this.queue.undo(video, owner, index);
    focusRequest.set({ videoId: video.id, part: 'body' });
    this.notices.say({ id: 'widget-restored', video });
  }

  #moveTo(video: Video, owner: string, ids: readonly string[], to: number): void {
    this.queue.order(owner, ids, movedTo(ids, video.id, to));
    this.notices.say({ id: 'widget-moved', video, values: { place: to + 1, count: ids.length } });
  }

  #notice(event: EditEvent): void {
    switch (event.type) {
      case 'deleted':
        this.notices.keepUntil(this.#undoing.get(event.video.id)?.toast, event.until - ARRIVES);
        break;
      case 'refused': {
        const { edit, why } = event;
        // It is back: there is nothing to undo.
        if (takesAway(edit) && edit.type !== 'order') this.notices.close(this.#undoing.get(edit.seen.id)?.toast);
        this.#toast('refused', { id: `widget-refused-${refusalText(edit, why)}${why}`, ...(edit.type !== 'order' && { video: edit.seen }) }, 2 * READ);
        break;
      }
      case 'done':
        if (event.edit.type === 'report') this.#toast('done', { id: 'widget-reported' });
        if (event.edit.type === 'block') this.#toast('done', { id: 'widget-blocked', video: event.edit.seen });
    }
  }

  #toast(kind: Toast['kind'], message: Message, milliseconds = READ, more: Pick<Toast, 'undo' | 'address'> = {}): number {
    return this.notices.add({ kind, message, until: Date.now() + milliseconds, ...more });
  }
}

/** Which texts are for a refusal: an order, and what was decided meanwhile or cannot be blocked yet, have their own. */
function refusalText({ type }: Edit, why: EditRefusal): string {
  if (type === 'order') return 'order-';
  return (type === 'reject' || type === 'block') && why === 'conflict' ? `${type}-` : '';
}

/** The public page of a member. */
function pageOf(userId: string): string {
  return new URL(`/u/${encodeURIComponent(userId).replaceAll('%40', '@').replaceAll('%3A', ':')}`, location.href).href;
}

const actions = new WeakMap<Visit, VideoActions>();

/** The visit's own; they outlive every list. */
export function actionsOf(visit: Visit): VideoActions {
  const found = actions.get(visit) ?? new VideoActions(visit);
  actions.set(visit, found);
  rowHandler.set(found);
  return found;
}

export const closeMenu = (): void => menuOf.set(null);
