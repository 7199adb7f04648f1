// Our side of the widget API: the handshake with the Matrix client, the viewer's identity, the client's theme.
import { WidgetApi, type IOpenIDCredentials } from 'matrix-widget-api';
import { themeOf, type Params, type Theme } from '../core/params';

/** Milliseconds that a client may take to shake hands. */
const PATIENCE = 10_000;
/** Milliseconds before the second request for an identity: right after a widget was added the first may fail. */
const SECOND_TRY = 1_000;

/** `outside`: no client around us; `no-answer`: it is silent; `declined`: the viewer said no; `identity`: it could not tell. */
export class ClientError extends Error {
  override readonly name = 'ClientError';

  constructor(
    readonly code: 'outside' | 'no-answer' | 'declined' | 'identity',
    options?: ErrorOptions,
  ) {
    super(code, options);
  }
}

/** What the server needs to ask the viewer's homeserver who they are. */
export type OpenIdToken = Readonly<Record<'access_token' | 'matrix_server_name' | 'token_type', string>> & { readonly expires_in: number };

export interface MatrixClient {
  /** A fresh token. Rejects with ClientError `declined` or `identity`. */
  identify(): Promise<OpenIdToken>;
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

function followTheme(api: WidgetApi, onTheme: (theme: Theme) => void): void {
  api.on('action:theme_change', (event: CustomEvent<{ data?: { name?: unknown } }>) => {
    event.preventDefault();
    api.transport.reply(event.detail as never, {});
    const theme = themeOf(event.detail.data?.name);
    if (theme !== null) onTheme(theme);
  });
}

/** Shakes hands with the client around us. Must be called before the page has loaded: some clients speak first. Rejects with ClientError. */
export async function connect(params: Params, onTheme: (theme: Theme) => void): Promise<MatrixClient> {
  const origin = originOf(params.parentUrl);
  if (window.parent === window || origin === null || params.widgetId === null) throw new ClientError('outside');
  guardMessages(origin);
  const api = new WidgetApi(params.widgetId, origin);
  followTheme(api, onTheme);
  const ready = until(api, 'ready');
  api.start();
  // Clients that waited for the frame's load event do not expect this message and may refuse it.
  api.sendContentLoaded().catch(() => undefined);
  await ready;
  return { identify: () => identify(api) };
}

async function identify(api: WidgetApi): Promise<OpenIdToken> {
  try {
    return await request(api);
  } catch (error) {
    if (error instanceof ClientError && error.code === 'declined') throw error;
    await new Promise((resolve) => setTimeout(resolve, SECOND_TRY));
    return request(api);
  }
}

async function request(api: WidgetApi): Promise<OpenIdToken> {
  const answer = await api.requestOpenIDConnectToken().catch((error: unknown) => {
    const declined = error instanceof Error && error.message.includes('declined');
    throw new ClientError(declined ? 'declined' : 'identity', { cause: error });
  });
  return validToken(answer);
}

function validToken({ access_token, matrix_server_name, token_type, expires_in }: Partial<IOpenIDCredentials>): OpenIdToken {
  if (typeof access_token !== 'string' || typeof matrix_server_name !== 'string') throw new ClientError('identity');
  return { access_token, matrix_server_name, token_type: token_type ?? 'Bearer', expires_in: expires_in ?? 3600 };
}
