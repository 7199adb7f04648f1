// One signed-in user's visit to the demo's room.
import { Store } from '../src/core/store';
import { Account } from './matrix/account';
import type { MatrixEvent } from './matrix/events';
import type { Demo, DemoUser } from './matrix/demo';
import { follow } from './matrix/follow';
import { Outbox } from './matrix/outbox';
import { Prompts } from './matrix/prompts';
import { UNKNOWN_ROOM } from './matrix/room';
import { RoomClient } from './matrix/room-client';
import type { Settings } from './settings';

export class Visit {
  readonly room = new Store(UNKNOWN_ROOM);
  readonly connected = new Store(true);
  readonly signedOut = new Store(false);
  readonly client: RoomClient;
  readonly outbox: Outbox;
  readonly prompts = new Prompts();
  readonly #end = new AbortController();
  readonly #listeners = new Set<(event: MatrixEvent) => void>();

  private constructor(
    readonly account: Account,
    readonly roomId: string,
  ) {
    this.client = new RoomClient(account, roomId, () => this.room.get().encrypted);
    this.outbox = new Outbox(this.client);
    this.room.subscribe(() => this.outbox.settle(this.room.get().entries));
    const follower = {
      onRoom: this.room.set.bind(this.room),
      onEvents: (events: readonly MatrixEvent[]) => {
        for (const event of events) for (const listener of this.#listeners) listener(event);
      },
      onConnected: this.connected.set.bind(this.connected),
      onSignedOut: () => this.signedOut.set(true),
    };
    void follow(this.client, follower, this.#end.signal);
  }

  /** Signs in and starts to follow the room. Rejects with MatrixError. */
  static async start(demo: Demo, user: DemoUser, room: Settings['room']): Promise<Visit> {
    const roomId = room === 'encrypted' ? demo.encrypted_room_id ?? demo.room_id : demo.room_id;
    const account = await Account.signIn(demo.homeserver_url, user.user_id, user.password);
    return new Visit(account, roomId);
  }

  /** Calls `listener` with each new event of the room; returns the function that removes it. */
  onEvent(listener: (event: MatrixEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends the visit and signs out, without awaiting the response. */
  end(): void {
    this.#end.abort();
    this.outbox.discardAll();
    this.account.signOut().catch((error: unknown) => console.warn('Signing out failed:', error));
  }
}
