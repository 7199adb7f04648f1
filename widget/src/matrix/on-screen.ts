// Why the widget should stay on the screen in other rooms: it plays, or it records. The client is called at the first reason and at the last.
import type { MatrixClient } from './client';

export type Reason = 'playing' | 'recording';

const reasons = new WeakMap<MatrixClient, Set<Reason>>();

/** Begins or ends one reason. A client that cannot do it is as good as one without a request. */
export function keepOnScreen(client: MatrixClient, reason: Reason, on: boolean): void {
  const held = reasons.get(client) ?? new Set();
  reasons.set(client, held);
  const before = held.size > 0;
  if (on) held.add(reason);
  else held.delete(reason);
  if (held.size > 0 !== before) client.stayOnScreen(!before).catch(() => undefined);
}
