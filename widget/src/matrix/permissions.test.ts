import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { WidgetApi } from 'matrix-widget-api';
import { WidgetStorage } from './storage';
import { ALL, CAPABILITIES, type Permission } from './capabilities';
import { Permissions } from './permissions';

class Shelf {
  readonly #items = new Map<string, string>();
  getItem = (key: string): string | null => this.#items.get(key) ?? null;
  setItem = (key: string, value: string): void => void this.#items.set(key, value);
  removeItem = (key: string): void => void this.#items.delete(key);
}

/** A client that remembers nothing, and a viewer who declines `declines`; `shakeHands` asks for the list of the handshake and notifies. */
function aClient(declines: readonly Permission[] = []) {
  const requests: string[][] = [];
  const held = new Set<string>();
  const listeners = new Map<string, ((event: object) => void)[]>();
  const emit = (name: string, detail: object): void => listeners.get(name)?.forEach((listener) => listener({ detail: { data: detail } }));
  const listen = (name: string, listener: (event: object) => void): void => void listeners.set(name, [...(listeners.get(name) ?? []), listener]);
  const answer = (capabilities: string[]): void => {
    requests.push(capabilities);
    const refused = new Set<string>(declines.map((permission) => CAPABILITIES[permission]));
    capabilities.filter((capability) => !refused.has(capability)).forEach((capability) => held.add(capability));
    queueMicrotask(() => emit('action:notify_capabilities', { requested: capabilities, approved: [...held] }));
  };
  let first: string[] = [];
  const api = {
    on: listen,
    once: listen,
    requestCapabilities: (capabilities: string[]) => { first = capabilities; },
    transport: {
      send: (_: string, { capabilities }: { capabilities: string[] }) => {
        answer(capabilities);
        return Promise.resolve({});
      },
    },
  };
  const shakeHands = (): void => {
    emit('action:capabilities', {});
    answer(first);
  };
  return { api: api as unknown as WidgetApi, requests, shakeHands };
}

const storageOf = (viewer: string): WidgetStorage => new WidgetStorage('https://app.example', 'w', '!r', viewer);
const names = (...permissions: Permission[]): string[] => permissions.map((permission) => CAPABILITIES[permission]);

describe('Permissions', () => {
  beforeEach(() => {
    vi.stubGlobal('localStorage', new Shelf());
    vi.stubGlobal('sessionStorage', new Shelf());
  });
  afterEach(() => vi.unstubAllGlobals());

  it('asks for what is missing, and at a later visit for what was allowed before along with it', async () => {
    const first = aClient();
    const permissions = new Permissions(first.api, storageOf('@bob:x'));
    expect([await permissions.ask('seeMessages'), await permissions.ask('seeMessages', 'sendText')]).toEqual([true, true]);
    expect(first.requests).toEqual([names('seeMessages'), names('sendText')]);
    const later = aClient();
    const again = new Permissions(later.api, storageOf('@bob:x'));
    // What may be sent only along with what sends.
    expect([await again.ask('seeReactions'), await again.ask('sendReaction')]).toEqual([true, true]);
    expect(later.requests.map((request) => [...request].sort())).toEqual([names('seeMessages', 'seeReactions').sort(), names('sendText', 'sendReaction').sort()]);
    const somebodyElse = aClient();
    await new Permissions(somebodyElse.api, storageOf('@eve:x')).ask('seeMessages');
    expect(somebodyElse.requests).toEqual([names('seeMessages')]);
  });

  it('remembers what was declined, and asks for nothing of it along with the rest', async () => {
    const { api } = aClient(['sendText']);
    expect(await new Permissions(api, storageOf('@bob:x')).ask('sendText')).toBe(false);
    const later = aClient();
    const permissions = new Permissions(later.api, storageOf('@bob:x'));
    expect([...permissions.declined.get()]).toEqual(['sendText']);
    await permissions.ask('sendVideo');
    expect(later.requests).toEqual([names('sendVideo')]);
    // Requested by the viewer.
    await permissions.ask('sendText');
    expect([...permissions.declined.get()]).toEqual([]);
  });

  it('takes up as it shakes hands what the client gives without a question, but nothing that sends', async () => {
    const first = aClient();
    await new Permissions(first.api, storageOf('@bob:x')).ask('seeMessages', 'sendText');
    const later = aClient();
    const permissions = new Permissions(later.api, storageOf('@bob:x'));
    later.shakeHands();
    expect(await permissions.ask('seeMessages')).toBe(true);
    expect(later.requests).toEqual([names('seeMessages')]);
    // A further request: the client stores that one at most.
    await permissions.ask('sendReaction');
    const last = aClient();
    new Permissions(last.api, storageOf('@bob:x'));
    last.shakeHands();
    expect(last.requests).toEqual([[]]);
  });

  it('loads the page anew where hosts were left behind, which would hear the request as well, and asks while shaking hands', async () => {
    const storage = storageOf('@bob:x');
    storage.keepLeftBehind([]);
    storage.keepDecisions({ granted: ['seeMessages', 'sendText'], declined: [], silent: false });
    const first = aClient();
    const reload = vi.fn();
    const permissions = new Permissions(first.api, storage, storage.takeWish(ALL), reload);
    permissions.situation = () => ({ view: 'talk' });
    void permissions.ask('seeReactions');
    expect([first.requests, reload.mock.calls.length, permissions.asking.get()]).toEqual([[], 1, true]);
    const wish = storage.takeWish(ALL);
    // What may be sent is requested by whom sends.
    expect(wish).toEqual({ permissions: ['seeMessages', 'seeReactions'], once: false, situation: { view: 'talk' } });
    expect(storage.takeWish(ALL)).toBe(null);
    const anew = aClient(['seeReactions']);
    const then = new Permissions(anew.api, storage, wish, reload);
    // While a request is open it is not made again.
    const asked = then.ask('seeReactions');
    anew.shakeHands();
    expect([await asked, anew.requests]).toEqual([false, [names('seeMessages', 'seeReactions')]]);
    expect([...then.declined.get()]).toEqual(['seeReactions']);
    // What is not saved would be lost.
    then.situation = () => null;
    expect([then.reloads, await then.ask('sendVideo'), reload.mock.calls.length]).toEqual([false, true, 1]);
  });

  it('holds for the page where nothing can be stored, and where the client cannot be asked', async () => {
    vi.unstubAllGlobals();
    const { api } = aClient();
    const permissions = new Permissions(api, storageOf('@bob:x'));
    expect(await permissions.ask('seeMessages')).toBe(true);
    const old = { on: vi.fn(), once: vi.fn(), transport: { send: () => Promise.reject(new Error('Unknown action')) } } as unknown as WidgetApi;
    expect(await new Permissions(old, storageOf('@bob:x')).ask('sendText')).toBe(false);
  });
});
