// A signed-in user's calls.
import type { IOpenIDCredentials } from 'matrix-widget-api';
import { Homeserver } from './homeserver';
import type { SyncAnswer } from './events';

const CLIENT = '/_matrix/client/v3';

export class Account {
  private constructor(
    readonly homeserver: Homeserver,
    readonly userId: string,
  ) {}

  /** Signs in. Rejects with MatrixError. */
  static async signIn(homeserverUrl: string, userId: string, password: string): Promise<Account> {
    const answer = await new Homeserver(homeserverUrl).request<{ access_token: string; user_id: string }>(`${CLIENT}/login`, {
      method: 'POST',
      body: {
        type: 'm.login.password',
        identifier: { type: 'm.id.user', user: userId },
        password,
        initial_device_display_name: 'Roomreel demo',
      },
    });
    return new Account(new Homeserver(homeserverUrl, answer.access_token), answer.user_id);
  }

  async signOut(): Promise<void> {
    await this.homeserver.request(`${CLIENT}/logout`, { method: 'POST', body: {} });
  }

  openIdToken(): Promise<IOpenIDCredentials> {
    return this.homeserver.request(`${CLIENT}/user/${encodeURIComponent(this.userId)}/openid/request_token`, { method: 'POST', body: {} });
  }

  /** Sends a message; the same transaction id again sends nothing twice. */
  async sendMessage(roomId: string, transactionId: string, content: object, signal: AbortSignal): Promise<void> {
    const path = `${CLIENT}/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${encodeURIComponent(transactionId)}`;
    await this.homeserver.request(path, { method: 'PUT', body: content, signal });
  }

  /** Waits up to `timeout` milliseconds for news. */
  sync(filter: object, since: string | null, timeout: number, signal: AbortSignal): Promise<SyncAnswer> {
    const query = { filter: JSON.stringify(filter), timeout: String(timeout), ...(since === null ? {} : { since }) };
    return this.homeserver.request(`${CLIENT}/sync`, { query, signal });
  }
}
