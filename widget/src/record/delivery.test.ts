import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError, fetchOk } from '../api/http';
import { Server } from '../api/server';
import { SessionHolder } from '../api/session';
import { Store } from '../core/store';
import type { Messenger } from '../matrix/messenger';
import { failureOf, Gone, post, prepare, MediaRejected } from './delivery';
import { isResumable } from './tus';

describe('failureOf', () => {
  it('tells why the server took nothing', () => {
    const codeOf = (status: number, errcode = 'M_FORBIDDEN'): string => failureOf('upload', new ApiError(status, errcode)).code;
    expect([codeOf(403), codeOf(413), codeOf(507, 'M_RESOURCE_LIMIT_EXCEEDED'), codeOf(418)]).toEqual(['refused', 'too-large', 'full', 'upload']);
    expect([codeOf(403, 'M_USER_LIMIT_EXCEEDED'), codeOf(403, 'M_RESOURCE_LIMIT_EXCEEDED')]).toEqual(['user-limit', 'room-limit']);
  });

  it('tells why the message was not sent', () => {
    const codeOf = (error: unknown): string => failureOf('post', error).code;
    expect([codeOf(new ApiError(403, 'M_FORBIDDEN')), codeOf(new ApiError(403, 'M_USER_LIMIT_EXCEEDED')), codeOf(new Gone()), codeOf(new ApiError(413, 'M_TOO_LARGE'))])
      .toEqual(['refused', 'user-limit', 'post', 'post']);
  });

  it('keeps the reason of a file that cannot be prepared', () => {
    expect(failureOf('prepare', new MediaRejected('too-long'))).toEqual({ step: 'prepare', code: 'too-long' });
  });
});

describe('post', () => {
  const send = vi.fn<Messenger['send']>();
  const messenger = { send, onEvent: () => () => undefined } as unknown as Messenger;
  const lost = new Store(false);
  const events = { percent: () => undefined, link: (now: boolean) => lost.set(now) };
  const sent = (allowed = true): Promise<string> => post(messenger, { content: { body: 'a' }, upload: 'u' }, Promise.resolve(allowed), events, new AbortController().signal);

  beforeEach(() => {
    send.mockReset();
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('asks our server again until it answers, and says so meanwhile', async () => {
    send.mockRejectedValueOnce(new ApiError(0, 'M_NO_ANSWER')).mockResolvedValueOnce('$sent');
    const made = sent();
    await vi.advanceTimersByTimeAsync(1);
    expect([lost.get(), send.mock.calls.length]).toEqual([true, 1]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect([await made, lost.get()]).toEqual(['$sent', false]);
    expect(send.mock.calls).toEqual([['m.room.message', { body: 'a' }, 'u'], ['m.room.message', { body: 'a' }, 'u']]);
  });

  it('tries nothing twice that was refused, or that a client could not say', async () => {
    send.mockRejectedValueOnce(new ApiError(409, 'M_CONFLICT'));
    await expect(sent()).rejects.toBeInstanceOf(Gone);
    send.mockRejectedValueOnce(new Error('Request timed out'));
    await expect(sent()).rejects.toThrow('timed out');
    await expect(sent(false)).rejects.toThrow();
    expect(send).toHaveBeenCalledTimes(2);
  });
});

describe('a server that asks us to wait', () => {
  const limited = (): Response =>
    new Response('{"errcode": "M_LIMIT_EXCEEDED", "error": "…"}', { status: 429, headers: { 'retry-after': '7' } });
  const json = (body: object): Response => new Response(JSON.stringify(body));

  beforeEach(() => vi.useFakeTimers());
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('is understood, and passes by itself; too many uploads do not', async () => {
    vi.stubGlobal('fetch', () => Promise.resolve(limited()));
    const error: unknown = await fetchOk('/', {}).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ status: 429, errcode: 'M_LIMIT_EXCEEDED', retryAfter: 7_000 });
    expect([isResumable(error), isResumable(new ApiError(429, 'M_LIMIT_EXCEEDED'))]).toEqual([true, false]);
  });

  it('is asked again when it said, and the viewer is told', async () => {
    const answers = [limited(), json({}), json({ state: 'ready', percent: null, failure: null, content: { url: 'mxc://x/y' } })];
    const asked: string[] = [];
    vi.stubGlobal('fetch', (path: string) => {
      if (path === '/api/v1/session') return Promise.resolve(json({ token: 't', expires_at: 1, user_id: '@a:x', room_id: '!r', can: [] }));
      asked.push(path);
      return Promise.resolve(answers.shift());
    });
    const links: unknown[] = [];
    const server = new Server('!r', new SessionHolder('!r', () => Promise.resolve({ sign_in: 's' })));
    const events = { percent: () => undefined, link: (lost: boolean, busy?: boolean) => links.push([lost, busy === true]) };
    const made = prepare(server, '1', {} as Parameters<typeof prepare>[2], events, new AbortController().signal);
    await vi.advanceTimersByTimeAsync(6_900);
    expect([asked.length, links]).toEqual([1, [[true, true]]]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(await made).toEqual({ content: { url: 'mxc://x/y' }, upload: '1', audioLeftOut: null });
    expect(links.slice(0, 2)).toEqual([[true, true], [false, false]]);
  });
});
