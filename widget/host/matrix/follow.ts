// Follows one room: long polling, for ever, over broken connections.
import { backoff } from '../../src/core/backoff';
import type { Account } from './account';
import { MatrixError } from './homeserver';
import { applyJoined, UNKNOWN_ROOM, type Room } from './room';
import type { MatrixEvent, SyncAnswer } from './events';

/** Milliseconds that one request may wait for news. */
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
  /** What has just happened, in order; not what was there before. */
  onEvents(events: readonly MatrixEvent[]): void;
  onConnected(connected: boolean): void;
  /** The homeserver no longer takes our token. */
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
      // Not to wait in the first request, nor after a failure: there may be nothing new, and people look at 'reconnecting'.
      const answer: SyncAnswer = await account.sync(filter, since, since === null || failures > 0 ? 0 : PATIENCE, signal);
      room = after(room, answer, roomId);
      if (since !== null) listener.onEvents(answer.rooms?.join?.[roomId]?.timeline?.events ?? []);
      since = answer.next_batch;
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

function after(room: Room, answer: SyncAnswer, roomId: string): Room {
  const joined = answer.rooms?.join?.[roomId];
  if (joined !== undefined) return applyJoined(room, joined);
  const left = answer.rooms?.leave?.[roomId] !== undefined;
  return left || room.membership === 'unknown' ? { ...room, membership: 'left' } : room;
}
