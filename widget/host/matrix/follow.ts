// Follows one room by long polling `/sync`, with back-off after a failure.
import { backoff } from '../../src/core/backoff';
import type { Account } from './account';
import { MatrixError } from './homeserver';
import { applyJoined, UNKNOWN_ROOM, type Room } from './room';
import type { MatrixEvent, SyncResponse } from './events';

/** Milliseconds that a long-polling request may wait for events. */
const PATIENCE = 30_000;

const filterFor = (roomId: string): object => ({
  room: {
    rooms: [roomId],
    timeline: { limit: 200 },
    state: { lazy_load_members: false },
    ephemeral: { not_types: ['*'] },
    account_data: { not_types: ['*'] },
  },
  presence: { not_types: ['*'] },
  account_data: { not_types: ['*'] },
});

export interface Listener {
  onRoom(room: Room): void;
  /** The new events of the timeline, in order; not those of the initial sync. */
  onEvents(events: readonly MatrixEvent[]): void;
  onConnected(connected: boolean): void;
  /** The homeserver no longer accepts our token. */
  onSignedOut(): void;
}

/** Follows the room until `signal` aborts. */
export async function follow(account: Account, roomId: string, listener: Listener, signal: AbortSignal): Promise<void> {
  const filter = filterFor(roomId);
  let room = UNKNOWN_ROOM;
  let since: string | null = null;
  let failures = 0;
  const ended = (): boolean => signal.aborted;
  while (!ended()) {
    try {
      // Neither the initial request nor one after a failure waits: people look at 'Reconnecting'.
      const response: SyncResponse = await account.sync(filter, since, since === null || failures > 0 ? 0 : PATIENCE, signal);
      room = after(room, response, roomId);
      if (since !== null) listener.onEvents(response.rooms?.join?.[roomId]?.timeline?.events ?? []);
      since = response.next_batch;
      failures = 0;
      listener.onRoom(room);
      listener.onConnected(true);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof MatrixError && error.status === 401) { listener.onSignedOut(); return; }
      listener.onConnected(false);
      await new Promise((resolve) => setTimeout(resolve, backoff(failures, Math.random())));
      failures += 1;
    }
  }
}

function after(room: Room, response: SyncResponse, roomId: string): Room {
  const joined = response.rooms?.join?.[roomId];
  if (joined !== undefined) return applyJoined(room, joined);
  const left = response.rooms?.leave?.[roomId] !== undefined;
  return left || room.membership === 'unknown' ? { ...room, membership: 'left' } : room;
}
