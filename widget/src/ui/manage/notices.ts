// What is said about what was done: in bars that go by themselves, some with a way back, and to screen readers.
import type { Video } from '../../core/model';
import { Store } from '../../core/store';
import { titleFor } from '../names';
import type { Translate } from '../text';

/** A text of the catalogue, put into the page's language where it shows. */
export interface Message {
  readonly id: string;
  readonly values?: Readonly<Record<string, string | number>>;
  /** The video that it is about: its `title`. */
  readonly video?: Video;
}

export const textOf = ({ id, values, video }: Message, t: Translate): string => t(id, { ...values, ...(video !== undefined && { title: titleFor(video, t) }) });

export interface Toast {
  readonly id: number;
  readonly kind: 'deleted' | 'refused' | 'done';
  readonly message: Message;
  /** Milliseconds since the epoch. */
  readonly until: number;
  readonly undo?: () => void;
  /** An address to copy. */
  readonly address?: string;
}

export class Notices {
  readonly toasts = new Store<readonly Toast[]>([]);
  /** The latest one, for screen readers. */
  readonly status = new Store<Message | null>(null);
  #next = 0;

  say(message: Message): void {
    this.status.set(message);
  }

  /** Shows a bar, beside one earlier one at most; returns its id. */
  add(toast: Omit<Toast, 'id'>): number {
    const id = (this.#next += 1);
    this.toasts.set([...this.toasts.get().slice(-1), { ...toast, id }]);
    this.say(toast.message);
    return id;
  }

  /** Lets a bar stay until another time. */
  keepUntil(id: number | undefined, until: number): void {
    this.toasts.set(this.toasts.get().map((toast) => (toast.id === id ? { ...toast, until } : toast)));
  }

  close(id: number | undefined): void {
    this.toasts.set(this.toasts.get().filter((toast) => toast.id !== id));
  }

  /** Undoes the latest thing that still can be; false when there is none. */
  undoLatest(): boolean {
    const toast = this.toasts.get().findLast(({ undo }) => undo !== undefined);
    if (toast?.undo === undefined) return false;
    this.close(toast.id);
    toast.undo();
    return true;
  }
}
