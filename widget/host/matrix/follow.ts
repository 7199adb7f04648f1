// Follows one room by long polling `/sync`, with back-off after a failure.
import { backoff } from '../../src/core/backoff';
import { MatrixError } from './homeserver';
import { applyJoined, UNKNOWN_ROOM, type Room } from './room';
import type { RoomClient } from './room-client';
import type { JoinedRoom, MatrixEvent, SyncResponse } from './events';

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
export async function follow(client: RoomClient, listener: Listener, signal: AbortSignal): Promise<void> {
  const { account, roomId } = client;
  const filter = filterFor(roomId);
  let room = UNKNOWN_ROOM;
  let since: string | null = null;
  let failures = 0;
  const ended = (): boolean => signal.aborted;
  while (!ended()) {
    try {
      // Neither the initial request nor one after a failure waits: people look at 'Reconnecting'.
      const response: SyncResponse = await account.sync(filter, since, since === null || failures > 0 ? 0 : PATIENCE, signal);
      const joined = await readable(client, response.rooms?.join?.[roomId]);
      room = joined === undefined ? elsewhere(room, response, roomId) : applyJoined(room, joined);
      if (since !== null) listener.onEvents(joined?.timeline?.events ?? []);
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

async function readable(client: RoomClient, joined: JoinedRoom | undefined): Promise<JoinedRoom | undefined> {
  if (joined?.timeline?.events === undefined) return joined;
  return { ...joined, timeline: { ...joined.timeline, events: await client.readable(joined.timeline.events) } };
}

/** The room after a response that has nothing of it as a joined one. */
function elsewhere(room: Room, response: SyncResponse, roomId: string): Room {
  const left = response.rooms?.leave?.[roomId] !== undefined;
  return left || room.membership === 'unknown' ? { ...room, membership: 'left' } : room;
}
