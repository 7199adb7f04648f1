// The viewer's edits on their way to the server: shown at once, sent one after the other, retried until they arrive, and taken back when refused.
import { Pause } from '../browser/pause';
import { pauseBefore } from '../core/backoff';
import { asObject, decodeVideo } from '../core/decode';
import { rebase, confirmed, inPhase, withEdits, replaced, takesAway, withEdit, without, type Edit, type Edits, type Fields, type Pending } from '../core/edits';
import type { Video } from '../core/model';
import type { State } from '../core/state';
import { Store } from '../core/store';
import { ApiError, isTransient, retryAfterOf } from './http';
import type { Method, Server } from './server';

/** Why an edit was taken back. */
export type EditRefusal = 'conflict' | 'forbidden' | 'gone' | 'late' | 'server';

/** What became of an edit. */
export type EditEvent =
  | { readonly type: 'deleted'; readonly video: Video; readonly until: number }
  | { readonly type: 'refused'; readonly edit: Edit; readonly why: EditRefusal }
  | { readonly type: 'done'; readonly edit: Edit };

/** What of the visit edits need. */
export interface EditContext {
  readonly state: Store<State>;
  readonly server: Server | null;
  setOverlay(overlay: State['overlay']): void;
  refresh(): Promise<void>;
}

/** Milliseconds for which a deletion can be undone, when the server's clock is not known. */
const UNDO = 8_000;

interface Call {
  readonly method: Method;
  readonly path: string;
  readonly body?: unknown;
}

export class EditQueue {
  readonly edits = new Store<Edits>([]);
  /** The server does not respond: what is not saved yet is retried. */
  readonly unsaved = new Store(false);
  #next = 0;
  #running = false;
  readonly #pause = new Pause();
  /** Done, but the room could not be loaded since: they go with the next one. */
  readonly #leaving = new Set<number>();

  constructor(
    private readonly context: EditContext,
    private readonly notify: (news: EditEvent) => void,
    /** Milliseconds since the epoch by the server; null while it is not known. */
    private readonly serverTime: () => number | null,
  ) {
    this.edits.subscribe(() => context.setOverlay((room) => withEdits(room, this.edits.get())));
    let served = context.state.get().served;
    context.state.subscribe(() => {
      if (context.state.get().served === served) return;
      served = context.state.get().served;
      if (this.#leaving.size > 0) this.#drop(...this.#leaving);
    });
    window.addEventListener('beforeunload', (event) => {
      if (this.unsaved.get()) event.preventDefault();
    });
  }

  change(seen: Video, fields: Fields): void {
    this.#add({ type: 'change', seen, fields });
  }

  delete(seen: Video): void {
    this.#add({ type: 'delete', seen });
  }

  /** Brings a deleted video back to its place. */
  undo(seen: Video, owner: string, index: number): void {
    const unsent = this.edits.get().find(({ edit, phase }) => isUndoable(edit) && edit.seen.id === seen.id && phase === 'waiting');
    if (unsent === undefined) this.#add({ type: 'restore', seen, owner, index });
    else this.#drop(unsent.id);
  }

  order(owner: string, base: readonly string[], wanted: readonly string[]): void {
    this.#add({ type: 'order', owner, base, wanted });
  }

  /** Takes away what waits; its sender is notified of the reason. */
  reject(seen: Video, reason: string): void {
    this.#add({ type: 'reject', seen, reason });
  }

  /** Takes it away, and lets the same file not come again into this room. */
  block(seen: Video, reason: string): void {
    this.#add({ type: 'block', seen, reason });
  }

  report(seen: Video, reason: string): void {
    this.#add({ type: 'report', seen, reason });
  }

  dismissReports(seen: Video): void {
    this.#add({ type: 'dismiss', seen });
  }

  /** Retries now. */
  retry(): void {
    this.#pause.end();
  }

  #add(edit: Edit): void {
    this.edits.set(withEdit(this.edits.get(), (this.#next += 1), edit));
    if (!this.#running) void this.#run();
  }

  #drop(...ids: readonly number[]): void {
    ids.forEach((id) => this.#leaving.delete(id));
    this.edits.set(ids.reduce(without, this.edits.get()));
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let next = this.#waiting(); next !== undefined; next = this.#waiting()) await this.#send(next);
    this.#running = false;
  }

  #waiting(): Pending | undefined {
    return this.edits.get().find(({ phase }) => phase === 'waiting');
  }

  async #send({ id, edit, again }: Pending): Promise<void> {
    this.edits.set(inPhase(this.edits.get(), id, 'sending'));
    try {
      this.#done(id, edit, await this.#deliver(edit));
    } catch (error) {
      const why = refusalOf(error);
      if (why === 'conflict' && !again) await this.#retryRebased(id, edit);
      // The first response may have been lost.
      else if (why === 'gone' && takesAway(edit)) this.#done(id, edit, null);
      else this.#refused(id, edit, why);
    }
  }

  /** Retries until there is a response. */
  async #deliver(edit: Edit): Promise<unknown> {
    for (let attempt = 0; ; attempt += 1) {
      const sent = Date.now();
      try {
        const { method, path, body } = this.#callFor(edit);
        const response = await this.context.server?.call(method, path, body);
        this.unsaved.set(false);
        if (isUndoable(edit)) this.notify({ type: 'deleted', video: edit.seen, until: this.#undoUntil(response, sent) });
        return response;
      } catch (error) {
        if (!isTransient(error)) {
          this.unsaved.set(false);
          throw error;
        }
        this.unsaved.set(true);
        await this.#pause.wait(pauseBefore(attempt, Math.random(), retryAfterOf(error)));
      }
    }
  }

  /** On this page's clock; never later than on the server's. */
  #undoUntil(response: unknown, sent: number): number {
    const until = asObject(response, 'deleted').undo_until;
    const now = this.serverTime();
    if (typeof until !== 'number' || now === null) return sent + UNDO;
    return Date.now() + Math.min(UNDO, until - now);
  }

  #callFor(edit: Edit): Call {
    if (edit.type === 'order') {
      const path = `/members/${encodeURIComponent(edit.owner)}/order`;
      return { method: 'PUT', path: this.context.server?.roomPath(path) ?? '', body: { videos: edit.wanted, base: edit.base } };
    }
    const path = `/api/v1/videos/${encodeURIComponent(edit.seen.id)}`;
    switch (edit.type) {
      case 'change': {
        const { isVideoAvatar, ...fields } = edit.fields;
        const avatar = isVideoAvatar === undefined ? {} : { video_avatar: isVideoAvatar };
        return { method: 'PATCH', path, body: { ...fields, ...avatar, version: edit.seen.version } };
      }
      case 'delete':
        return { method: 'DELETE', path };
      case 'restore':
        return { method: 'POST', path: `${path}/restore` };
      case 'report':
      case 'reject':
      case 'block':
        return { method: 'POST', path: `${path}/${edit.type}`, body: { reason: edit.reason } };
      case 'dismiss':
        return { method: 'DELETE', path: `${path}/reports` };
    }
  }

  #done(id: number, edit: Edit, response: unknown): void {
    const video = edit.type === 'change' ? decodeVideo(response) : null;
    this.edits.set(confirmed(this.edits.get(), id, video));
    this.notify({ type: 'done', edit });
    void this.#settle(id);
  }

  /** The edit lies over the room until one that was fetched after it is there. */
  async #settle(id: number): Promise<void> {
    const before = this.context.state.get().served;
    await this.context.refresh();
    if (this.context.state.get().served === before) this.#leaving.add(id);
    else this.#drop(id);
  }

  async #retryRebased(id: number, edit: Edit): Promise<void> {
    await this.context.refresh();
    const room = this.context.state.get().served;
    const now = room === null ? ({ outcome: 'gone' } as const) : rebase(edit, room);
    if (now.outcome === 'retry') this.edits.set(replaced(this.edits.get(), id, now.edit));
    else if (now.outcome === 'done') this.#drop(id);
    else this.#refused(id, edit, now.outcome);
  }

  #refused(id: number, edit: Edit, why: EditRefusal): void {
    this.#drop(id);
    this.notify({ type: 'refused', edit, why });
    void this.context.refresh();
  }

}

/** What the server keeps for some seconds, to be brought back. */
function isUndoable(edit: Edit): edit is Extract<Edit, { type: 'delete' | 'reject' }> {
  return edit.type === 'delete' || edit.type === 'reject';
}

function refusalOf(error: unknown): EditRefusal {
  const reasons: Record<number, EditRefusal> = { 401: 'forbidden', 403: 'forbidden', 404: 'gone', 409: 'conflict', 410: 'late' };
  return (error instanceof ApiError ? reasons[error.status] : undefined) ?? 'server';
}
