// What a viewer does with videos: the one place that menu, keys and dragging call, and what they are told about it.
import { Managing, type News, type Refusal } from '../../api/edit-queue';
import { decodeReasons } from '../../core/decode';
import { takesAway, type Edit } from '../../core/edits';
import { movedTo } from '../../core/order';
import type { Video } from '../../core/model';
import type { Entry } from '../../core/state';
import { Store } from '../../core/store';
import { titleFor } from '../names';
import type { Translate } from '../text';
import type { Visit } from '../../visit/visit';
import { desk, focusWish, menuOf, renaming, reviewing, type Desk, type Ground } from './list-state';
import { follow } from './drag';

export interface Toast {
  readonly id: number;
  readonly kind: 'deleted' | 'refused' | 'done';
  readonly text: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
  readonly undo?: () => void;
  /** An address to copy. */
  readonly address?: string;
}

/** What is asked before something is done. */
export type Question =
  | { readonly type: 'publish'; readonly video: Video; readonly address: string }
  | { readonly type: 'report'; readonly video: Video }
  | { readonly type: 'address'; readonly video: Video | null; readonly address: string };

export type Direction = 'up' | 'down' | 'top' | 'end';

/** Milliseconds for which words stay, and for which a deletion that has not arrived yet can be undone. */
const READ = 5_000;
const UNDO = 8_000;
/** Milliseconds before the server's end at which 'Undo' goes: a press must still arrive. */
const ARRIVES = 400;

export class Office implements Desk {
  readonly toasts = new Store<readonly Toast[]>([]);
  readonly question = new Store<Question | null>(null);
  /** What a screen reader is told. */
  readonly said = new Store('');
  readonly managing: Managing;
  #next = 0;
  readonly #undoing = new Map<string, { readonly owner: string; readonly index: number; readonly toast: number }>();

  constructor(
    private readonly visit: Visit,
    /** Of the language now. */
    public t: Translate,
  ) {
    this.managing = new Managing(visit, (news) => this.#hear(news), () => visit.live?.now() ?? null);
  }

  rename(video: Video, title: string): void {
    this.managing.change(video, { title });
    this.#say('widget-renamed', { title });
  }

  setVisibility(video: Video, visibility: 'shown' | 'hidden'): void {
    this.managing.change(video, { visibility });
    this.#say(visibility === 'hidden' ? 'widget-hidden' : 'widget-shown', this.#named(video));
  }

  setVideoAvatar(video: Video, isVideoAvatar: boolean): void {
    this.managing.change(video, { isVideoAvatar });
    this.#say(isVideoAvatar ? 'widget-avatar-set' : 'widget-avatar-unset', this.#named(video));
  }

  /** Publishes at once where the viewer has published before; else asks, and says what it means. */
  publish({ video, owner }: Entry, asked = false): void {
    const address = pageOf(owner.userId);
    if (!asked && !owner.videos.some(({ published }) => published)) return this.question.set({ type: 'publish', video, address });
    this.managing.change(video, { published: true });
    this.#toast({ kind: 'done', text: this.t('widget-published', this.#named(video)), until: Date.now() + 2 * READ, address });
  }

  unpublish(video: Video): void {
    this.managing.change(video, { published: false });
    this.#toast({ kind: 'done', text: this.t('widget-unpublished', this.#named(video)), until: Date.now() + READ });
  }

  report(video: Video, reason: string): void {
    this.managing.report(video, reason);
  }

  dismissReports(video: Video): void {
    this.managing.dismissReports(video);
    this.#say('widget-reports-dismissed', this.#named(video));
  }

  approve(video: Video): void {
    this.managing.change(video, { visibility: 'shown' });
    this.#toast({ kind: 'done', text: this.t('widget-approved', this.#named(video)), until: Date.now() + READ });
  }

  reject(entry: Entry, reason: string): void {
    this.#takeAway(entry, 'widget-rejected');
    this.managing.reject(entry.video, reason);
  }

  block(entry: Entry, reason: string): void {
    this.#leave(entry.video);
    this.managing.block(entry.video, reason);
  }

  delete(entry: Entry): void {
    this.#takeAway(entry, 'widget-deleted');
    this.managing.delete(entry.video);
  }

  /** The viewer sent it. */
  isOwn({ owner }: Entry): boolean {
    return owner.userId === this.visit.state.get().viewer;
  }

  /** What members said against it. Rejects with ApiError, ClientError or DecodeError. */
  async reasons({ id }: Video): Promise<readonly string[]> {
    return decodeReasons(await this.visit.server?.call('GET', `/api/v1/videos/${encodeURIComponent(id)}/reports`));
  }

  /** Says that it went, with a way back. */
  #takeAway({ video, owner }: Entry, text: string): void {
    const index = owner.videos.findIndex(({ id }) => id === video.id);
    this.#leave(video);
    const toast = this.#toast({ kind: 'deleted', text: this.t(text, this.#named(video)), until: Date.now() + UNDO, undo: () => this.#undo(video) });
    this.#undoing.set(video.id, { owner: owner.userId, index, toast });
  }

  /** Its row goes: the focus goes on to the next one. */
  #leave({ id }: Video): void {
    const row = document.querySelector(`.row[data-video-id="${CSS.escape(id)}"]`);
    const next = row?.nextElementSibling ?? row?.previousElementSibling;
    if (next instanceof HTMLElement && next.dataset.videoId !== undefined) focusWish.set({ videoId: next.dataset.videoId, part: 'body' });
  }

  move({ video, owner }: Entry, where: Direction): void {
    const ids = owner.videos.map(({ id }) => id);
    const index = ids.indexOf(video.id);
    this.#moveTo(video, owner.userId, ids, { up: index - 1, down: index + 1, top: 0, end: ids.length - 1 }[where]);
    focusWish.set({ videoId: video.id, part: 'body' });
  }

  /** Whether it can be moved there in the list that shows. */
  mayMove({ video, owner }: Entry, where: Direction): boolean {
    if (!owner.canOrder || this.visit.state.get().selected !== owner.userId) return false;
    const last = where === 'up' || where === 'top' ? owner.videos[0] : owner.videos.at(-1);
    return last?.id !== video.id;
  }

  grab(event: PointerEvent, entry: Entry, ground: Ground): void {
    follow(event, entry, ground, (to) => {
      const ids = entry.owner.videos.map(({ id }) => id);
      this.#moveTo(entry.video, entry.owner.userId, ids, to);
    });
  }

  key(event: KeyboardEvent, entry: Entry): boolean {
    const { can } = entry.video;
    if (event.ctrlKey || event.metaKey || event.shiftKey) return false;
    const directions: Record<string, Direction> = { ArrowUp: 'up', ArrowDown: 'down', Home: 'top', End: 'end' };
    const where = directions[event.key];
    if (event.altKey && where !== undefined) {
      if (this.mayMove(entry, where)) this.move(entry, where);
      return true;
    }
    if (event.key === 'F2' && can.has('rename')) renaming.set(entry.video.id);
    else if (event.key === 'Delete' && can.has('delete')) this.delete(entry);
    else return false;
    return true;
  }

  /** Copies the way to a video; where the frame may not, it is shown to be copied by hand. */
  async copyLink({ video, owner }: Entry): Promise<void> {
    const page = new URL('/widget/', location.href);
    page.search = new URLSearchParams({ room_id: this.visit.state.get().room?.roomId ?? '', video: video.id }).toString();
    await this.copy(video.published ? `${pageOf(owner.userId)}#${video.id}` : page.href, video);
  }

  async copy(address: string, video: Video | null = null): Promise<void> {
    try {
      await navigator.clipboard.writeText(address);
      this.#toast({ kind: 'done', text: this.t('widget-copied'), until: Date.now() + READ });
    } catch {
      this.question.set({ type: 'address', video, address });
    }
  }

  /** The question is answered, or left: the focus goes back to where it came from. */
  answered(): void {
    const video = this.question.get()?.video;
    this.question.set(null);
    if (video) focusWish.set({ videoId: video.id, part: 'more' });
  }

  /** The viewer is done with looking at it: the focus goes to its row, or else to what waits still. */
  reviewed({ id }: Video): void {
    reviewing.set(null);
    if (document.querySelector(`.row[data-video-id="${CSS.escape(id)}"]`) !== null) focusWish.set({ videoId: id, part: 'body' });
    else document.querySelector<HTMLElement>('.queue-button')?.focus();
  }

  /** It is not there any more. */
  reviewEnded(video: Video | null): void {
    reviewing.set(null);
    if (video !== null) this.#toast({ kind: 'refused', text: this.t('widget-refused-gone', this.#named(video)), until: Date.now() + READ });
  }

  close(id: number): void {
    this.toasts.set(this.toasts.get().filter((toast) => toast.id !== id));
  }

  /** Undoes the latest deletion that still can be; false when there is none. */
  undoLatest(): boolean {
    const toast = this.toasts.get().findLast(({ undo }) => undo !== undefined);
    if (toast?.undo === undefined) return false;
    this.close(toast.id);
    toast.undo();
    return true;
  }

  #undo(video: Video): void {
    const { owner, index } = this.#undoing.get(video.id) ?? { owner: '', index: 0 };
    this.managing.undo(video, owner, index);
    focusWish.set({ videoId: video.id, part: 'body' });
    this.#say('widget-restored', this.#named(video));
  }

  #moveTo(video: Video, owner: string, ids: readonly string[], to: number): void {
    this.managing.order(owner, ids, movedTo(ids, video.id, to));
    this.#say('widget-moved', { ...this.#named(video), place: to + 1, count: ids.length });
  }

  #hear(news: News): void {
    switch (news.type) {
      case 'deleted': {
        const mine = this.#undoing.get(news.video.id)?.toast;
        this.toasts.set(this.toasts.get().map((toast) => (toast.id === mine ? { ...toast, until: news.until - ARRIVES } : toast)));
        break;
      }
      case 'refused': {
        const about = news.edit.type === 'order' ? {} : this.#named(news.edit.seen);
        const text = this.t(`widget-refused-${wordsFor(news.edit, news.why)}${news.why}`, about);
        // It is back: there is nothing to undo.
        if (takesAway(news.edit) && news.edit.type !== 'order') this.close(this.#undoing.get(news.edit.seen.id)?.toast ?? 0);
        this.#toast({ kind: 'refused', text, until: Date.now() + 2 * READ });
        break;
      }
      case 'done':
        if (news.edit.type === 'report') this.#toast({ kind: 'done', text: this.t('widget-reported'), until: Date.now() + READ });
        if (news.edit.type === 'block') this.#toast({ kind: 'done', text: this.t('widget-blocked', this.#named(news.edit.seen)), until: Date.now() + READ });
    }
  }

  #named(video: Video): { title: string } {
    return { title: titleFor(video, this.t) };
  }

  #say(id: string, values: Record<string, string | number>): void {
    this.said.set(this.t(id, values));
  }

  #toast(toast: Omit<Toast, 'id'>): number {
    const id = (this.#next += 1);
    this.toasts.set([...this.toasts.get().slice(-1), { ...toast, id }]);
    this.said.set(toast.text);
    return id;
  }
}

/** Which words tell of a refusal: an order, and what was decided meanwhile or cannot be blocked yet, have their own. */
function wordsFor({ type }: Edit, why: Refusal): string {
  if (type === 'order') return 'order-';
  return (type === 'reject' || type === 'block') && why === 'conflict' ? `${type}-` : '';
}

/** The public page of a member. */
function pageOf(userId: string): string {
  return new URL(`/u/${encodeURIComponent(userId).replaceAll('%40', '@').replaceAll('%3A', ':')}`, location.href).href;
}

const offices = new WeakMap<Visit, Office>();

/** The visit's own; it outlives every list. */
export function officeOf(visit: Visit, t: Translate): Office {
  const office = offices.get(visit) ?? new Office(visit, t);
  offices.set(visit, office);
  desk.set(office);
  return office;
}

export const closeMenu = (): void => menuOf.set(null);
