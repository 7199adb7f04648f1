// The demo's description, which the server of this page keeps beside it.

export interface DemoUser {
  readonly user_id: string;
  readonly password: string;
  readonly display_name: string;
}

export interface Demo {
  readonly homeserver_url: string;
  readonly server_name: string;
  readonly room_id: string;
  /** Another one, which is encrypted. */
  readonly encrypted_room_id?: string;
  readonly users: readonly DemoUser[];
}

/** Fetches the description. Rejects with an Error that says what to do. */
export async function loadDemo(): Promise<Demo> {
  const response = await fetch('/demo.json', { cache: 'no-store' }).catch(() => null);
  if (response?.ok !== true) throw new Error('The demo is not running. Start `roomreel demo` and reload this page.');
  return (await response.json()) as Demo;
}
