import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { WidgetApi } from 'matrix-widget-api';
import { Memory } from './memory';
import { CAPABILITIES, Permissions, type Permission } from './permissions';

class Shelf {
  readonly #items = new Map<string, string>();
  getItem = (key: string): string | null => this.#items.get(key) ?? null;
  setItem = (key: string, value: string): void => void this.#items.set(key, value);
  removeItem = (key: string): void => void this.#items.delete(key);
}

/** A client that remembers nothing, and a viewer who declines `declines`. */
function aClient(declines: readonly Permission[] = []) {
  const requests: string[][] = [];
  const held = new Set<string>();
  let notify: (event: object) => void = () => undefined;
  const api = {
    on: (_: string, listener: (event: object) => void) => { notify = listener; },
    transport: {
      send: (_: string, { capabilities }: { capabilities: string[] }) => {
        requests.push(capabilities);
        const refused = new Set<string>(declines.map((permission) => CAPABILITIES[permission]));
        capabilities.filter((capability) => !refused.has(capability)).forEach((capability) => held.add(capability));
        queueMicrotask(() => notify({ detail: { data: { requested: capabilities, approved: [...held] } } }));
        return Promise.resolve({});
      },
    },
  };
  return { api: api as unknown as WidgetApi, requests };
}

const memoryOf = (viewer: string): Memory => new Memory('https://app.example', 'w', '!r', viewer);
const names = (...permissions: Permission[]): string[] => permissions.map((permission) => CAPABILITIES[permission]);

describe('Permissions', () => {
  beforeEach(() => {
    vi.stubGlobal('localStorage', new Shelf());
    vi.stubGlobal('sessionStorage', new Shelf());
  });
  afterEach(() => vi.unstubAllGlobals());

  it('asks for what is missing, and at a later visit for what was allowed before along with it', async () => {
    const first = aClient();
    const permissions = new Permissions(first.api, memoryOf('@bob:x'));
    expect([await permissions.ask('seeMessages'), await permissions.ask('seeMessages', 'sendText')]).toEqual([true, true]);
    expect(first.requests).toEqual([names('seeMessages'), names('sendText')]);
    const later = aClient();
    await new Permissions(later.api, memoryOf('@bob:x')).ask('seeMessages');
    expect(later.requests.map((request) => [...request].sort())).toEqual([names('seeMessages', 'sendText').sort()]);
    const somebodyElse = aClient();
    await new Permissions(somebodyElse.api, memoryOf('@eve:x')).ask('seeMessages');
    expect(somebodyElse.requests).toEqual([names('seeMessages')]);
  });

  it('remembers what was declined, and asks for nothing of it along with the rest', async () => {
    const { api } = aClient(['sendText']);
    expect(await new Permissions(api, memoryOf('@bob:x')).ask('sendText')).toBe(false);
    const later = aClient();
    const permissions = new Permissions(later.api, memoryOf('@bob:x'));
    expect([...permissions.declined.get()]).toEqual(['sendText']);
    await permissions.ask('sendVideo');
    expect(later.requests).toEqual([names('sendVideo')]);
    // Asked for by the viewer.
    await permissions.ask('sendText');
    expect([...permissions.declined.get()]).toEqual([]);
  });

  it('takes up by itself only what the client allows without a question', async () => {
    const first = aClient();
    const permissions = new Permissions(first.api, memoryOf('@bob:x'));
    await permissions.resume();
    await permissions.ask('seeMessages');
    const later = aClient();
    await new Permissions(later.api, memoryOf('@bob:x')).resume();
    expect([first.requests.length, later.requests]).toEqual([1, [names('seeMessages')]]);
    // A further question: the client remembers that one at most.
    await permissions.ask('sendText');
    const last = aClient();
    await new Permissions(last.api, memoryOf('@bob:x')).resume();
    expect(last.requests).toEqual([]);
  });

  it('holds for the page where nothing can be stored, and where the client cannot be asked', async () => {
    vi.unstubAllGlobals();
    const { api } = aClient();
    const permissions = new Permissions(api, memoryOf('@bob:x'));
    expect(await permissions.ask('seeMessages')).toBe(true);
    const old = { on: vi.fn(), transport: { send: () => Promise.reject(new Error('Unknown action')) } } as unknown as WidgetApi;
    expect(await new Permissions(old, memoryOf('@bob:x')).ask('sendText')).toBe(false);
  });
});
