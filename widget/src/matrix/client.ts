// Our side of the widget API: the handshake with the Matrix client, the viewer's identity, the client's theme, the room's events, sending.
import { WidgetApi, type IOpenIDCredentials } from 'matrix-widget-api';
import type { OpenIdToken } from '../api/session';
import { sleep } from '../browser/pause';
import { hasContrast, themeOf, type Params, type Theme } from '../core/params';
import { Hosts } from './hosts';
import { WidgetStorage, type Wish } from './storage';
import { SeveralHosts, statusOf, type Messenger, type RoomEvent } from './messenger';
import { ALL } from './capabilities';
import { Permissions } from './permissions';

/** Milliseconds that a client may take to shake hands. */
const PATIENCE = 10_000;
/** Milliseconds before the second request for an identity: right after a widget was added the first may fail. */
const SECOND_TRY = 1_000;

/** Seconds that a client may take to respond: sending waits for the homeserver, which may be slow. */
const TIMEOUT = 30;

/** `outside`: no client around us; `no-answer`: it is silent; `declined`: the viewer said no; `identity`: it does not know. */
export class ClientError extends Error {
  override readonly name = 'ClientError';

  constructor(
    readonly code: 'outside' | 'no-answer' | 'declined' | 'identity',
    options?: ErrorOptions,
  ) {
    super(code, options);
  }
}

/** What the client says about itself while the widget is open. */
export interface Listener {
  /** `contrast`: the theme is one of high contrast. */
  readonly onTheme: (theme: Theme, contrast: boolean) => void;
  /** BCP 47. */
  readonly onLanguage: (language: string) => void;
}

export interface MatrixClient extends Messenger {
  /** A fresh token. Rejects with ClientError `declined` or `identity`. */
  identify(): Promise<OpenIdToken>;
  readonly permissions: Messenger['permissions'] & Pick<Permissions, 'situation'>;
  /** What the page has loaded itself anew for. */
  readonly wish: Wish | null;
  readonly storage: WidgetStorage;
  /** Requests that the client keeps the widget on screen when the viewer goes to another room; rejects where it cannot. */
  stayOnScreen(on: boolean): Promise<void>;
}

/** Only the embedding window, and only from where the client said it lives, may speak to us. */
function guardMessages(origin: string): void {
  const guard = (event: MessageEvent): void => {
    if (event.source !== window.parent || event.origin !== origin) event.stopImmediatePropagation();
  };
  window.addEventListener('message', guard, { capture: true });
}

function originOf(parentUrl: string | null): string | null {
  const url = parentUrl === null || !URL.canParse(parentUrl) ? null : new URL(parentUrl);
  return url === null || url.origin === 'null' ? null : url.origin;
}

function until(api: WidgetApi, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new ClientError('no-answer')), PATIENCE);
    api.once(event, () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

function followLooks(api: WidgetApi, { onTheme, onLanguage }: Listener): void {
  api.on('action:theme_change', (event: CustomEvent<{ data?: { name?: unknown } }>) => {
    event.preventDefault();
    api.transport.reply(event.detail as never, {});
    const name = event.detail.data?.name;
    const theme = themeOf(name);
    if (theme !== null) onTheme(theme, hasContrast(name));
  });
  api.on('action:language_change', (event: CustomEvent<{ data?: { lang?: unknown } }>) => {
    event.preventDefault();
    api.transport.reply(event.detail as never, {});
    const language = event.detail.data?.lang;
    if (typeof language === 'string') onLanguage(language);
  });
}

/** Shakes hands with the client around us. Must be called before the page has loaded: some clients speak first. Rejects with ClientError. */
export async function connect(params: Params, listener: Listener): Promise<MatrixClient> {
  const origin = originOf(params.parentUrl);
  if (window.parent === window || origin === null || params.widgetId === null) throw new ClientError('outside');
  guardMessages(origin);
  const api = new WidgetApi(params.widgetId, origin);
  api.transport.timeoutSeconds = TIMEOUT;
  followLooks(api, listener);
  const storage = new WidgetStorage(origin, params.widgetId, params.roomId ?? '', params.userId);
  const wish = storage.takeWish(ALL);
  const permissions = new Permissions(api, storage, wish);
  const hosts = new Hosts(api, params.widgetId, storage, permissions.granted, wish?.once ?? false);
  permissions.once = () => hosts.several.get() === 'once';
  const listeners = followEvents(api);
  // The viewer may take their time over the client's prompt during the handshake.
  const ready = until(api, permissions.asksFirst ? 'action:capabilities' : 'ready');
  api.start();
  // Clients that waited for the frame's load event do not expect this message and may refuse it.
  api.sendContentLoaded().catch(() => undefined);
  await ready;
  return {
    onBehalf: false,
    identify: () => identify(api),
    permissions,
    hosts,
    wish,
    storage,
    async stayOnScreen(on) {
      await api.setAlwaysOnScreen(on);
    },
    async send(type, content) {
      // The first thing that is sent would be the first to arrive several times.
      if (hosts.several.get() === 'no') await hosts.look();
      if (!hosts.maySend(type)) throw new SeveralHosts();
      const { event_id } = await api.sendRoomEvent(type, content).catch((error: unknown) => {
        // What was refused was not sent.
        if (statusOf(error) === null) hosts.spent();
        throw error;
      });
      hosts.spent();
      if (typeof event_id !== 'string') throw new Error('The client gave no event id.');
      return event_id;
    },
    async relations(eventId, { relType, type, from, limit }) {
      const { chunk, next_batch } = await api.readEventRelations(eventId, undefined, relType, type, limit, from);
      return { events: chunk, next: next_batch ?? null };
    },
    recent: (type, limit) => api.readRoomEvents(type, limit),
    mayRedact: () => true,
    onEvent(hear) {
      listeners.add(hear);
      return () => listeners.delete(hear);
    },
  };
}

function followEvents(api: WidgetApi): Set<(event: RoomEvent) => void> {
  const listeners = new Set<(event: RoomEvent) => void>();
  api.on('action:send_event', (event: CustomEvent<{ data: RoomEvent }>) => {
    event.preventDefault();
    api.transport.reply(event.detail as never, {});
    for (const listener of listeners) listener(event.detail.data);
  });
  return listeners;
}

async function identify(api: WidgetApi): Promise<OpenIdToken> {
  try {
    return await request(api);
  } catch (error) {
    if (error instanceof ClientError && error.code === 'declined') throw error;
    await sleep(SECOND_TRY);
    return request(api);
  }
}

async function request(api: WidgetApi): Promise<OpenIdToken> {
  const credentials = await api.requestOpenIDConnectToken().catch((error: unknown) => {
    const declined = error instanceof Error && error.message.includes('declined');
    throw new ClientError(declined ? 'declined' : 'identity', { cause: error });
  });
  return validToken(credentials);
}

function validToken({ access_token, matrix_server_name, token_type, expires_in }: Partial<IOpenIDCredentials>): OpenIdToken {
  if (typeof access_token !== 'string' || typeof matrix_server_name !== 'string') throw new ClientError('identity');
  return { access_token, matrix_server_name, token_type: token_type ?? 'Bearer', expires_in: expires_in ?? 3600 };
}
