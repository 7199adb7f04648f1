import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WidgetApiResponseError } from 'matrix-widget-api';
import { Store } from '../core/store';
import { reactionsOf, repliesOf } from '../core/talk';
import { CAPABILITIES, type MatrixClient, type Permission, type RoomEvent } from '../matrix/client';
import { TalkKeeper, type News } from './keeper';

const ALICE = '@alice:x.org';
const BOB = '@bob:x.org';

const ALL = Object.keys(CAPABILITIES) as Permission[];

/** What the client is asked, and answers; a test chooses. */
const send = vi.fn<MatrixClient['send']>();
const relations = vi.fn<MatrixClient['relations']>();
const recent = vi.fn<MatrixClient['recent']>();

interface FakeClient extends MatrixClient {
  readonly hear: (event: object) => void;
}

function aClient(): FakeClient {
  const listeners = new Set<(event: RoomEvent) => void>();
  return {
    identify: vi.fn(), askPermissions: vi.fn(), stayOnScreen: vi.fn(),
    permissions: new Store<ReadonlySet<Permission>>(new Set(ALL)),
    answered: new Store(true),
    send, relations, recent,
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

describe('TalkKeeper', () => {
  let client: FakeClient;
  let keeper: TalkKeeper;
  let news: News[];
  const texts = (): string[] => repliesOf(keeper.of('$v').get().talk).map(({ text }) => text);
  const reactions = () => reactionsOf(keeper.of('$v').get().talk, BOB);

  beforeEach(() => {
    vi.resetAllMocks();
    send.mockResolvedValue('$sent');
    relations.mockResolvedValue({ events: [], next: null });
    recent.mockResolvedValue([]);
    client = aClient();
    keeper = new TalkKeeper(client, () => BOB, () => '@reel:x');
    news = [];
    keeper.onNews((one) => news.push(one));
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('does not take the marks of the bot for what people say', async () => {
    relations.mockResolvedValueOnce({ events: [], next: null });
    relations.mockResolvedValueOnce({ events: [{ ...reaction('$mark', '▶️'), sender: '@reel:x' }, reaction('$theirs', '▶️')], next: null });
    await keeper.load('$v');
    client.hear({ ...reaction('$later', '⏳'), sender: '@reel:x' });
    expect(reactions().map(({ label, count }) => [label, count])).toEqual([['▶️', 1]]);
    expect(news).toEqual([]);
  });

  it('asks about a video that stays, once, and not about those that are skipped', async () => {
    vi.useFakeTimers();
    for (const each of ['$a', '$b', '$v']) keeper.show(each);
    await vi.advanceTimersByTimeAsync(1_000);
    keeper.show('$v');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(relations.mock.calls.map(([id, { relType }]) => [id, relType])).toEqual([['$v', 'm.thread'], ['$v', 'm.annotation']]);
  });

  it('reads older replies page by page, and reactions to a bound', async () => {
    relations.mockImplementation((_, { relType, from }) => Promise.resolve(
      relType === 'm.thread'
        ? { events: [reply(from === undefined ? '$new' : '$old')], next: from === undefined ? 'older' : null }
        : { events: [reaction(`$${from ?? 'first'}`, from ?? 'first')], next: `${from ?? ''}x` },
    ));
    await keeper.load('$v');
    expect([texts(), keeper.of('$v').get().more, reactions().length]).toEqual([['$new'], true, 5]);
    await keeper.earlier('$v');
    expect([texts().sort(), keeper.of('$v').get().more]).toEqual([['$new', '$old'], false]);
  });

  it('loses nothing that is heard while it loads', async () => {
    let answer = (): void => undefined;
    relations.mockImplementation(() => new Promise((resolve) => { answer = () => resolve({ events: [reply('$1')], next: null }); }));
    client.permissions.set(new Set(['seeMessages']));
    const loading = keeper.load('$v');
    await vi.waitFor(() => expect(relations).toHaveBeenCalled());
    client.hear(plain('$2'));
    client.hear(event('$r', 'm.room.redaction', { redacts: '$1' }));
    answer();
    await loading;
    expect(texts()).toEqual(['$2']);
  });

  it('finds plain replies among what the client has at hand', async () => {
    recent.mockResolvedValue([plain('$1'), event('$2', 'm.room.message', { body: 'x' })]);
    await keeper.load('$v');
    expect(texts()).toEqual(['$1']);
  });

  it('counts what nobody has read, and tells what happens', async () => {
    await keeper.load('$v');
    client.hear(reply('$1', 'Hi'));
    client.hear(reply('$1', 'Hi'));
    client.hear(reply('$2', 'mine', BOB));
    client.hear(reaction('$3', '🎉'));
    expect(keeper.of('$v').get().unread).toBe(1);
    expect(news.map((one) => (one.kind === 'reply' ? one.reply.text : one.kind === 'reaction' ? one.label : one.kind))).toEqual(['Hi', '🎉']);
    keeper.reading.set('$v');
    client.hear(reply('$4'));
    expect(keeper.of('$v').get().unread).toBe(0);
  });

  it('shows a reaction at once, and takes it back when it is refused', async () => {
    await keeper.load('$v');
    const sending = keeper.react('$v', '👍️');
    expect(reactions()).toMatchObject([{ key: '👍️', count: 1 }]);
    await sending;
    expect(reactions()).toMatchObject([{ mine: ['$sent'] }]);
    send.mockRejectedValue(refused(403));
    await keeper.unreact('$v', ['$sent']);
    expect(reactions()).toMatchObject([{ mine: ['$sent'] }]);
    await keeper.react('$v', '🔥');
    expect(reactions()).toHaveLength(1);
    expect(news.map(({ kind }) => kind)).toEqual(['not-sent', 'not-sent']);
  });

  it('answers plainly what cannot begin a thread, and nothing else', async () => {
    send.mockRejectedValueOnce(refused(400));
    await keeper.reply('$v', 'Hi');
    expect(send.mock.lastCall?.[1]).toMatchObject({ 'm.relates_to': { 'm.in_reply_to': { event_id: '$v' } } });
    expect(texts()).toEqual(['Hi']);
    send.mockRejectedValueOnce(refused(403));
    await expect(keeper.reply('$v', 'Ho')).rejects.toThrow();
  });

  it('knows a video of another room from trouble that may pass', async () => {
    relations.mockRejectedValue(refused(404));
    await keeper.load('$v');
    expect(keeper.of('$v').get().status).toBe('elsewhere');
    relations.mockRejectedValue(new Error('no answer'));
    await keeper.load('$w');
    expect(keeper.of('$w').get().status).toBe('failed');
    relations.mockResolvedValue({ events: [], next: null });
    await keeper.load('$w');
    expect(keeper.of('$w').get().status).toBe('ready');
  });

  it('asks for what was not allowed only once it is', async () => {
    client.permissions.set(new Set(['seeReactions']));
    await keeper.load('$v');
    expect(relations.mock.calls.map(([, { relType }]) => relType)).toEqual(['m.annotation']);
    expect(recent).not.toHaveBeenCalled();
    client.permissions.set(new Set(['seeMessages', 'seeReactions']));
    await keeper.load('$v');
    expect(relations).toHaveBeenCalledTimes(3);
    expect(recent).toHaveBeenCalledOnce();
  });
});
