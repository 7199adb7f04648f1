import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WidgetApiResponseError } from 'matrix-widget-api';
import { ApiError } from '../api/http';
import { Store } from '../core/store';
import { reactionsOf, repliesOf } from '../core/talk/views';
import type { Several } from '../matrix/hosts';
import type { Messenger, RoomEvent } from '../matrix/messenger';
import { CAPABILITIES, type Permission } from '../matrix/capabilities';
import type { TalkNews } from './news';
import { TalkSession } from './session';

const ALICE = '@alice:x.org';
const BOB = '@bob:x.org';

const ALL = Object.keys(CAPABILITIES) as Permission[];

/** What the client is asked, and answers; a test chooses. */
const send = vi.fn<Messenger['send']>();
const relations = vi.fn<Messenger['relations']>();
const recent = vi.fn<Messenger['recent']>();

interface FakeClient extends Messenger {
  readonly allow: (...permissions: readonly Permission[]) => void;
  readonly hear: (event: object) => void;
}

function aClient(onBehalf = false): FakeClient {
  const listeners = new Set<(event: RoomEvent) => void>();
  const granted = new Store<ReadonlySet<Permission>>(new Set(ALL));
  const has = (...permissions: readonly Permission[]): boolean => permissions.every((permission) => granted.get().has(permission));
  return {
    onBehalf,
    permissions: { granted, declined: new Store<ReadonlySet<Permission>>(new Set()), asking: new Store(false), has, hadBefore: has, ask: vi.fn(), reloads: false },
    allow: (...permissions) => granted.set(new Set(permissions)),
    hosts: { several: new Store<Several>('no'), maySend: () => true, anyway: vi.fn(), sawDouble: vi.fn(), sent: vi.fn() },
    send, relations, recent,
    mayRedact: () => true,
    onEvent: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    hear: (event) => { for (const listener of listeners) listener(event as RoomEvent); },
  };
}

const event = (id: string, type: string, content: object, sender = ALICE): RoomEvent =>
  ({ event_id: id, type, sender, origin_server_ts: 1, room_id: '!r', unsigned: {}, content }) as RoomEvent;
const reply = (id: string, body = id, sender = ALICE): RoomEvent =>
  event(id, 'm.room.message', { msgtype: 'm.text', body, 'm.relates_to': { rel_type: 'm.thread', event_id: '$v' } }, sender);
const plain = (id: string): RoomEvent => event(id, 'm.room.message', { msgtype: 'm.text', body: id, 'm.relates_to': { 'm.in_reply_to': { event_id: '$v' } } });
const reaction = (id: string, key: string): RoomEvent => event(id, 'm.reaction', { 'm.relates_to': { rel_type: 'm.annotation', event_id: '$v', key } });
const refused = (status: number): Error =>
  new WidgetApiResponseError('No.', { matrix_api_error: { http_status: status, http_headers: {}, url: '', response: { errcode: 'M_X', error: '' } } });

describe('TalkSession', () => {
  let client: FakeClient;
  let session: TalkSession;
  let news: TalkNews[];
  const texts = (): string[] => repliesOf(session.of('$v').get().talk).map(({ text }) => text);
  const reactions = () => reactionsOf(session.of('$v').get().talk, BOB);

  beforeEach(() => {
    vi.resetAllMocks();
    send.mockResolvedValue('$sent');
    relations.mockResolvedValue({ events: [], next: null });
    recent.mockResolvedValue([]);
    client = aClient();
    session = new TalkSession(client, () => BOB, () => '@reel:x');
    news = [];
    session.onNews((one) => news.push(one));
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('does not take the marks of the bot for what people say', async () => {
    relations.mockResolvedValueOnce({ events: [], next: null });
    relations.mockResolvedValueOnce({ events: [{ ...reaction('$mark', '▶️'), sender: '@reel:x' }, reaction('$theirs', '▶️')], next: null });
    await session.load('$v');
    client.hear({ ...reaction('$later', '⏳'), sender: '@reel:x' });
    expect(reactions().map(({ label, count }) => [label, count])).toEqual([['▶️', 1]]);
    expect(news).toEqual([]);
    // What it sends on somebody's behalf is theirs.
    client.hear({ ...reaction('$behalf', '🎉'), sender: '@reel:x', content: { ...reaction('$behalf', '🎉').content as object, 'chat.roomreel.nonce': 'n' } });
    expect(reactions()).toHaveLength(2);
  });

  it('asks about a video that stays, once, and not about those that are skipped', async () => {
    vi.useFakeTimers();
    for (const each of ['$a', '$b', '$v']) session.show(each);
    await vi.advanceTimersByTimeAsync(1_000);
    session.show('$v');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(relations.mock.calls.map(([id, { relType }]) => [id, relType])).toEqual([['$v', 'm.thread'], ['$v', 'm.annotation']]);
  });

  it('reads older replies page by page, and reactions to a bound', async () => {
    relations.mockImplementation((_, { relType, from }) => Promise.resolve(
      relType === 'm.thread'
        ? { events: [reply(from === undefined ? '$new' : '$old')], next: from === undefined ? 'older' : null }
        : { events: [reaction(`$${from ?? 'first'}`, from ?? 'first')], next: `${from ?? ''}x` },
    ));
    await session.load('$v');
    expect([texts(), session.of('$v').get().more, reactions().length]).toEqual([['$new'], true, 5]);
    await session.earlier('$v');
    expect([texts().sort(), session.of('$v').get().more]).toEqual([['$new', '$old'], false]);
  });

  it('loses nothing that is heard while it loads', async () => {
    let answer = (): void => undefined;
    relations.mockImplementation(() => new Promise((resolve) => { answer = () => resolve({ events: [reply('$1')], next: null }); }));
    client.allow('seeMessages');
    const loading = session.load('$v');
    await vi.waitFor(() => expect(relations).toHaveBeenCalled());
    client.hear(plain('$2'));
    client.hear(event('$r', 'm.room.redaction', { redacts: '$1' }));
    answer();
    await loading;
    expect(texts()).toEqual(['$2']);
  });

  it('finds plain replies among what the client has at hand', async () => {
    recent.mockResolvedValue([plain('$1'), event('$2', 'm.room.message', { body: 'x' })]);
    await session.load('$v');
    expect(texts()).toEqual(['$1']);
  });

  it('counts what nobody has read, and tells what happens', async () => {
    await session.load('$v');
    client.hear(reply('$1', 'Hi'));
    client.hear(reply('$1', 'Hi'));
    client.hear(reply('$2', 'mine', BOB));
    client.hear(reaction('$3', '🎉'));
    expect(session.of('$v').get().unread).toBe(1);
    expect(news.map((one) => (one.kind === 'reply' ? one.reply.text : one.kind === 'reaction' ? one.label : one.kind))).toEqual(['Hi', '🎉']);
    session.reading.set('$v');
    client.hear(reply('$4'));
    expect(session.of('$v').get().unread).toBe(0);
  });

  it('shows a reaction at once, and takes it back when it is refused', async () => {
    await session.load('$v');
    const sending = session.react('$v', '👍️');
    expect(reactions()).toMatchObject([{ key: '👍️', count: 1 }]);
    await sending;
    expect(reactions()).toMatchObject([{ mine: ['$sent'] }]);
    send.mockRejectedValue(refused(403));
    await session.takeBack('$v', ['$sent']);
    expect(reactions()).toMatchObject([{ mine: ['$sent'] }]);
    await session.react('$v', '🔥');
    expect(reactions()).toHaveLength(1);
    expect(news.map(({ kind }) => kind)).toEqual(['not-sent', 'not-sent']);
  });

  it('never sends a reaction where an equal one is, or is under way', async () => {
    relations.mockImplementation((_, { relType }) => Promise.resolve({
      events: relType === 'm.annotation' ? [{ ...reaction('$mine', '👍'), sender: BOB }] : [], next: null,
    }));
    // Nothing is known yet.
    await session.react('$v', '👍️');
    expect(send).not.toHaveBeenCalled();
    await Promise.all([session.react('$v', '🔥'), session.react('$v', '🔥')]);
    expect(send).toHaveBeenCalledOnce();
  });

  it('sends a reaction after the redaction of an equal one', async () => {
    await session.load('$v');
    await session.react('$v', '🔥');
    let redacted = (): void => undefined;
    send.mockImplementationOnce(() => new Promise((resolve) => { redacted = () => resolve('$redaction'); }));
    const taking = session.takeBack('$v', ['$sent']);
    send.mockResolvedValueOnce('$again');
    const again = session.react('$v', '🔥');
    await vi.waitFor(() => expect(send).toHaveBeenCalledTimes(2));
    redacted();
    await Promise.all([taking, again]);
    expect(send.mock.calls.map(([type]) => type)).toEqual(['m.reaction', 'm.room.redaction', 'm.reaction']);
  });

  it('takes for sent what arrived without a response, and tries again under the same nonce', async () => {
    await session.load('$v');
    const nonces: unknown[] = [];
    send.mockImplementation((_, content) => {
      nonces.push((content as Record<string, unknown>)['chat.roomreel.nonce']);
      return Promise.reject(new Error('Request timed out'));
    });
    await expect(session.reply('$v', 'Hi')).rejects.toThrow();
    relations.mockImplementation((_, { relType }) => Promise.resolve({
      events: relType === 'm.thread' ? [event('$1', 'm.room.message', { ...send.mock.lastCall?.[1] }, BOB)] : [], next: null,
    }));
    await session.reply('$v', 'Hi');
    expect(texts()).toEqual(['Hi']);
    expect([nonces.length, new Set(nonces).size]).toEqual([2, 1]);
  });

  it('takes for sent what our server is not sure of, where it is there; and a client is sure', async () => {
    const answer = new ApiError(503, 'M_UNAVAILABLE');
    send.mockRejectedValue(answer);
    await expect(session.reply('$v', 'Hi')).rejects.toThrow(answer);
    expect(relations).not.toHaveBeenCalled();
    session = new TalkSession(aClient(true), () => BOB, () => '@reel:x');
    session.onNews((one) => news.push(one));
    await session.load('$v');
    const there = (): RoomEvent => ({ ...event('$1~1', send.mock.lastCall?.[0] ?? '', { ...send.mock.lastCall?.[1] }, BOB) });
    relations.mockImplementation((_, { type }) => Promise.resolve({ events: [there()].filter((one) => one.type === type), next: null }));
    await session.reply('$v', 'Hi');
    expect(texts()).toEqual(['Hi']);
    await session.react('$v', '🎉');
    expect([news, reactions().map(({ mine }) => mine)]).toEqual([[], [['$1~1']]]);
    expect(send).toHaveBeenCalledTimes(3);
  });

  it('shows once what arrived several times, and knows then that the client obeys several times', async () => {
    await session.load('$v');
    await session.reply('$v', 'Hi');
    const content = { ...send.mock.lastCall?.[1] };
    client.hear(event('$sent', 'm.room.message', content, BOB));
    expect(client.hosts.sawDouble).not.toHaveBeenCalled();
    // Everybody can read the nonce.
    client.hear(event('$copy', 'm.room.message', { ...content, body: 'Copied' }, ALICE));
    expect(client.hosts.sawDouble).not.toHaveBeenCalled();
    client.hear({ ...event('$copy', 'm.room.redaction', {}, ALICE), redacts: '$copy' });
    client.hear(event('$double', 'm.room.message', content, BOB));
    expect(texts()).toEqual(['Hi']);
    expect(client.hosts.sawDouble).toHaveBeenCalled();
  });

  it('takes what others sent twice for nothing of its own', async () => {
    const twice = { msgtype: 'm.text', body: 'Hi', 'chat.roomreel.nonce': 'n', 'm.relates_to': { rel_type: 'm.thread', event_id: '$v' } };
    relations.mockResolvedValueOnce({ events: [event('$1', 'm.room.message', twice), event('$2', 'm.room.message', twice)], next: null });
    await session.load('$v');
    expect(texts()).toEqual(['Hi']);
    expect(client.hosts.sawDouble).not.toHaveBeenCalled();
  });

  it('fetches what is new when the server hints at it, of the video on the screen', async () => {
    session.show('$v');
    await session.load('$v');
    session.of('$w');
    relations.mockClear();
    relations.mockResolvedValue({ events: [reply('$1', 'Hello')], next: null });
    session.refresh('$v');
    await vi.waitFor(() => expect(texts()).toEqual(['Hello']));
    expect(session.of('$v').get().unread).toBe(1);
    expect(news.map(({ kind }) => kind)).toEqual(['reply']);
    session.refresh('$w');
    expect(relations).toHaveBeenCalledOnce();
    // Somebody takes it back: only what was said of it is named.
    relations.mockResolvedValue({ events: [], next: null });
    session.refresh('$1');
    await vi.waitFor(() => expect(texts()).toEqual([]));
    expect(session.of('$v').get().unread).toBe(1);
  });

  it('fetches all of it where nothing is heard, and tells what is new', async () => {
    session = new TalkSession(aClient(true), () => BOB, () => '@reel:x');
    session.onNews((one) => news.push(one));
    let said: readonly RoomEvent[] = [reply('$1', 'Hello'), reaction('$2', '🎉')];
    relations.mockImplementation((_, { type }) => Promise.resolve({ events: said.filter((one) => one.type === type), next: null }));
    session.show('$v');
    session.refresh('$v');
    // What was there before is no news.
    await vi.waitFor(() => expect(reactions()).toHaveLength(1));
    expect(news).toEqual([]);
    said = [reply('$1', 'Hello'), reply('$3', 'Ho'), reply('$4', 'mine', BOB), { ...reaction('$5', '🔥'), sender: BOB }, reaction('$6', '👀')];
    session.refresh('$v');
    await vi.waitFor(() => expect(reactions().map(({ key }) => key)).toEqual(['🔥', '👀']));
    expect(news.map((one) => (one.kind === 'reply' ? one.reply.text : one.kind === 'reaction' ? one.label : one.kind))).toEqual(['Ho', '👀']);
    expect(session.of('$v').get().unread).toBe(1);
    // Taken back: of a reaction that is several people's, a part.
    said = [reply('$1', 'Hello'), reaction('$2~1', '🎉')];
    session.refresh('$6');
    await vi.waitFor(() => expect(reactions()).toHaveLength(1));
    said = [];
    session.refresh('$2');
    await vi.waitFor(() => expect(reactions()).toEqual([]));
  });

  it('takes a reply back, shows it again where that is refused, and says why', async () => {
    relations.mockImplementation((_, { relType }) => Promise.resolve({ events: relType === 'm.thread' ? [reply('$mine', 'Hi', BOB)] : [], next: null }));
    await session.load('$v');
    send.mockRejectedValueOnce(new ApiError(429, 'M_LIMIT_EXCEEDED'));
    await session.takeBack('$v', ['$mine']);
    expect([texts(), news]).toEqual([['Hi'], [{ kind: 'not-sent', eventId: '$v', why: 'busy' }]]);
    const taking = session.takeBack('$v', ['$mine']);
    expect(texts()).toEqual([]);
    await taking;
    expect(send.mock.lastCall).toEqual(['m.room.redaction', { redacts: '$mine' }]);
  });

  it('answers plainly what cannot begin a thread, and nothing else', async () => {
    send.mockRejectedValueOnce(refused(400));
    await session.reply('$v', 'Hi');
    expect(send.mock.lastCall?.[1]).toMatchObject({ 'm.relates_to': { 'm.in_reply_to': { event_id: '$v' } } });
    expect(texts()).toEqual(['Hi']);
    send.mockRejectedValueOnce(refused(403));
    await expect(session.reply('$v', 'Ho')).rejects.toThrow();
  });

  it('knows a video of another room from a transient error', async () => {
    relations.mockRejectedValue(refused(404));
    await session.load('$v');
    expect(session.of('$v').get().status).toBe('elsewhere');
    relations.mockRejectedValue(new Error('no answer'));
    await session.load('$w');
    expect(session.of('$w').get().status).toBe('failed');
    relations.mockResolvedValue({ events: [], next: null });
    await session.load('$w');
    expect(session.of('$w').get().status).toBe('ready');
  });

  it('asks for what was not allowed only once it is', async () => {
    client.allow('seeReactions');
    await session.load('$v');
    expect(relations.mock.calls.map(([, { relType }]) => relType)).toEqual(['m.annotation']);
    expect(recent).not.toHaveBeenCalled();
    client.allow('seeMessages', 'seeReactions');
    await session.load('$v');
    expect(relations).toHaveBeenCalledTimes(3);
    expect(recent).toHaveBeenCalledOnce();
  });
});
