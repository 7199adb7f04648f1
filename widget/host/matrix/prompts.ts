// Prompts the viewer for permissions of a widget, stores their decisions, and counts the prompts.
import { Store } from '../../src/core/store';

/** `load`: load the widget; `capabilities`: grant capabilities; `identity`: give it an OpenID token. */
export type Kind = 'load' | 'capabilities' | 'identity';

export interface Decision {
  /** The details that are allowed; empty when the viewer declined. */
  readonly allowed: readonly string[];
  readonly remember: boolean;
}

export interface Prompt {
  readonly id: number;
  readonly kind: Kind;
  /** What is requested, one by one: capabilities, or the widget's address. */
  readonly details: readonly string[];
  readonly decide: (decision: Decision) => void;
}

/** Shows one prompt at a time, in order. */
export class Prompts {
  readonly open = new Store<readonly Prompt[]>([]);
  readonly counts = new Store<Readonly<Record<Kind, number>>>({ load: 0, capabilities: 0, identity: 0 });
  #last = 0;

  /** Shows a prompt and resolves with the decision. */
  show(kind: Kind, details: readonly string[]): Promise<Decision> {
    this.#last += 1;
    const id = this.#last;
    this.counts.set({ ...this.counts.get(), [kind]: this.counts.get()[kind] + 1 });
    return new Promise((resolve) => {
      const decide = (decision: Decision): void => {
        this.open.set(this.open.get().filter((prompt) => prompt.id !== id));
        resolve(decision);
      };
      this.open.set([...this.open.get(), { id, kind, details, decide }]);
    });
  }
}

/** Stores decisions about a widget by its id, for all rooms, as Element does. */
export class StoredDecisions {
  readonly #key: string;

  constructor(widgetId: string) {
    this.#key = `widget ${widgetId}`;
  }

  read(kind: Kind): readonly string[] | null {
    const text = localStorage.getItem(`${this.#key} ${kind}`);
    return text === null ? null : (JSON.parse(text) as readonly string[]);
  }

  /** Replaces the stored decision. */
  write(kind: Kind, allowed: readonly string[]): void {
    localStorage.setItem(`${this.#key} ${kind}`, JSON.stringify(allowed));
  }
}
