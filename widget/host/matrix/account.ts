// A signed-in user's requests.
import type { IOpenIDCredentials } from 'matrix-widget-api';
import { Homeserver } from './homeserver';
import type { MatrixEvent, RelationsResponse, SyncResponse } from './events';

const CLIENT = '/_matrix/client/v3';

/** Not crypto.randomUUID: it is missing where the page is served without TLS to another machine. */
export const newTransaction = (): string => `demo-${Date.now()}-${Math.random().toString(36).slice(2)}`;

export class Account {
  private constructor(
    readonly homeserver: Homeserver,
    readonly userId: string,
  ) {}

  /** Signs in. Rejects with MatrixError. */
  static async signIn(homeserverUrl: string, userId: string, password: string): Promise<Account> {
    const response = await new Homeserver(homeserverUrl).request<{ access_token: string; user_id: string }>(`${CLIENT}/login`, {
      method: 'POST',
      body: {
        type: 'm.login.password',
        identifier: { type: 'm.id.user', user: userId },
        password,
        initial_device_display_name: 'Roomreel demo',
      },
    });
    return new Account(new Homeserver(homeserverUrl, response.access_token), response.user_id);
  }

  async signOut(): Promise<void> {
    await this.homeserver.request(`${CLIENT}/logout`, { method: 'POST', body: {} });
  }

  openIdToken(): Promise<IOpenIDCredentials> {
    return this.homeserver.request(`${CLIENT}/user/${encodeURIComponent(this.userId)}/openid/request_token`, { method: 'POST', body: {} });
  }

  /** Sends an event and returns its id; a repeated transaction id sends nothing twice. */
  async send(roomId: string, type: string, content: unknown, transactionId = newTransaction(), signal?: AbortSignal): Promise<string> {
    const path = `${CLIENT}/rooms/${encodeURIComponent(roomId)}/send/${encodeURIComponent(type)}/${encodeURIComponent(transactionId)}`;
    const request = { method: 'PUT', body: content, ...(signal && { signal }) } as const;
    return (await this.homeserver.request<{ event_id: string }>(path, request)).event_id;
  }

  /** Redacts an event and returns the id of the redaction. */
  async redact(roomId: string, eventId: string, reason?: string): Promise<string> {
    const path = `${CLIENT}/rooms/${encodeURIComponent(roomId)}/redact/${encodeURIComponent(eventId)}/${newTransaction()}`;
    const body = reason === undefined ? {} : { reason };
    return (await this.homeserver.request<{ event_id: string }>(path, { method: 'PUT', body })).event_id;
  }

  /** Events that relate to another, newest first; `kinds`: relation type, then event type. Source: Matrix client-server API v1.11, 'Aggregating events'. */
  relations(roomId: string, eventId: string, kinds: readonly (string | undefined)[], query: Readonly<Record<string, string>>): Promise<RelationsResponse> {
    const parts = [eventId, ...kinds].filter((part) => part !== undefined).map(encodeURIComponent);
    const path = `/_matrix/client/v1/rooms/${encodeURIComponent(roomId)}/relations/${parts.join('/')}`;
    return this.homeserver.request(path, { query });
  }

  /** The newest events of some types, newest first. */
  async recent(roomId: string, types: readonly string[], limit: number): Promise<readonly MatrixEvent[]> {
    const query = { dir: 'b', limit: String(limit), filter: JSON.stringify({ types }) };
    return (await this.homeserver.request<{ chunk: readonly MatrixEvent[] }>(`${CLIENT}/rooms/${encodeURIComponent(roomId)}/messages`, { query })).chunk;
  }

  /** Waits up to `timeout` milliseconds for new events. */
  sync(filter: object, since: string | null, timeout: number, signal: AbortSignal): Promise<SyncResponse> {
    const query = { filter: JSON.stringify(filter), timeout: String(timeout), ...(since === null ? {} : { since }) };
    return this.homeserver.request(`${CLIENT}/sync`, { query, signal });
  }
}
