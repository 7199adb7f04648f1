// The questions that a client asks the viewer about a widget, what they answered, and how often they were asked.
import { Store } from '../../src/core/store';

/** `load`: show the widget at all; `capabilities`: what it may do; `identity`: learn who the viewer is. */
export type Kind = 'load' | 'capabilities' | 'identity';

export interface Answer {
  /** What of the details is allowed; empty when the viewer declined. */
  readonly allowed: readonly string[];
  readonly remember: boolean;
}

export interface Question {
  readonly id: number;
  readonly kind: Kind;
  /** What is asked for, one by one: capabilities, or the widget's address. */
  readonly details: readonly string[];
  readonly answer: (answer: Answer) => void;
}

/** One at a time on the screen, in the order in which they were asked. */
export class Prompts {
  readonly open = new Store<readonly Question[]>([]);
  readonly asked = new Store<Readonly<Record<Kind, number>>>({ load: 0, capabilities: 0, identity: 0 });
  #last = 0;

  ask(kind: Kind, details: readonly string[]): Promise<Answer> {
    this.#last += 1;
    const id = this.#last;
    this.asked.set({ ...this.asked.get(), [kind]: this.asked.get()[kind] + 1 });
    return new Promise((resolve) => {
      const answer = (given: Answer): void => {
        this.open.set(this.open.get().filter((question) => question.id !== id));
        resolve(given);
      };
      this.open.set([...this.open.get(), { id, kind, details, answer }]);
    });
  }
}

/** What is remembered of a widget under its id, in all rooms, as Element does. */
export class Remembered {
  readonly #key: string;

  constructor(widgetId: string) {
    this.#key = `widget ${widgetId}`;
  }

  read(kind: Kind): readonly string[] | null {
    const text = localStorage.getItem(`${this.#key} ${kind}`);
    return text === null ? null : (JSON.parse(text) as readonly string[]);
  }

  /** Takes the place of what was remembered before. */
  write(kind: Kind, allowed: readonly string[]): void {
    localStorage.setItem(`${this.#key} ${kind}`, JSON.stringify(allowed));
  }
}
