// Threads apart from the room's main timeline: Element shows a widget only the latter.
import { recordOf, textOf, type MatrixEvent } from './events';

/** True for a message that was sent into a thread. */
export const isInThread = ({ content }: MatrixEvent): boolean => recordOf(content['m.relates_to']).rel_type === 'm.thread';

/** The events of threads among those that came one after the other. */
export class Threads {
  readonly #known = new Set<string>();

  /** True for an event of a thread: a message in it, or what edits, redacts or reacts to one. */
  holds(event: MatrixEvent): boolean {
    const target = textOf(event.content.redacts) ?? event.redacts ?? textOf(recordOf(event.content['m.relates_to']).event_id);
    const held = isInThread(event) || (target !== null && this.#known.has(target));
    if (held) this.#known.add(event.event_id);
    return held;
  }
}
