import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { withCaption } from '../core/recording/upload';
import { aMember, aRoom, aVideo } from '../core/samples';
import { INITIAL, type State } from '../core/state';
import { Store } from '../core/store';
import { plainReplyContent, reactionContent, replyContent } from '../core/talk/content';
import { emptyTalk } from '../core/talk/state';
import type { RoomAction } from '../core/model';
import { BotMessenger } from './bot-messenger';
import { Server } from '../api/server';
import { SessionHolder } from '../api/session';

const BOB = '@bob:x.org';

const inRoom = (...can: readonly RoomAction[]): State => ({ ...INITIAL, viewer: BOB, room: aRoom([aMember('@alice:x.org', [aVideo('v')])], { can: new Set(can) }) });
const aReaction = (id: string, sender: string): object => ({ event_id: id, type: 'm.reaction', sender, origin_server_ts: 1, content: reactionContent('$v', '👍'), on_behalf: true });

describe('BotMessenger', () => {
  let state: Store<State>;
  let behalf: BotMessenger;
  /** What the server is asked, and answers; a test chooses. */
  const answer = vi.fn<(method: string, path: string, body: unknown) => Response>();
  const asked = (): unknown[] => answer.mock.calls.map(([method, path, body]) => (body === undefined ? `${method} ${path}` : [`${method} ${path}`, body]));

  beforeEach(() => {
    answer.mockReset();
    answer.mockImplementation(() => new Response('{"event": {"event_id": "$new", "type": "m.room.message", "sender": "@bob:x.org", "on_behalf": true}, "event_id": "$sent"}'));
    vi.stubGlobal('fetch', (path: string, { method = 'GET', body }: RequestInit = {}) => {
      if (path === '/api/v1/session') return Promise.resolve(new Response(JSON.stringify({ token: 't', expires_at: 1, user_id: BOB, room_id: '!r' })));
      return Promise.resolve(answer(method, path, typeof body === 'string' ? JSON.parse(body) : undefined));
    });
    state = new Store(inRoom('comment', 'react', 'send'));
    const server = new Server('!r', new SessionHolder('!r', () => Promise.resolve({ sign_in: 's' })));
    behalf = new BotMessenger(state, () => server);
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('may what the room says, now and later', async () => {
    const { permissions } = behalf;
    expect(permissions.has('sendText', 'sendReaction', 'sendRedaction', 'sendVideo', 'seeMessages')).toBe(true);
    const changes = vi.fn();
    permissions.granted.subscribe(changes);
    state.set({ ...inRoom('react', 'comment', 'send'), stale: true });
    expect(changes).not.toHaveBeenCalled();
    state.set(inRoom('react'));
    expect(changes).toHaveBeenCalledOnce();
    expect([permissions.has('sendReaction'), permissions.declined.get()]).toEqual([true, new Set(['stayOnScreen', 'sendVideo', 'sendText'])]);
    expect(await permissions.ask('sendText')).toBe(false);
  });

  it('sends each kind to where the bot is told', async () => {
    const talk = emptyTalk('$v');
    expect(await behalf.send('m.room.message', replyContent(talk, 'Hi', 'n1'))).toBe('$new');
    await behalf.send('m.room.message', plainReplyContent('$v', 'Ho', 'n2'));
    await behalf.send('m.reaction', reactionContent('$v', '👍'));
    const video = { 'msgtype': 'm.video', 'body': 'a.mp4', 'filename': 'a.mp4', 'url': 'mxc://x/y', 'chat.roomreel.nonce': 'n3' };
    expect(await behalf.send('m.room.message', withCaption(video, ' A lake '), 'u1')).toBe('$sent');
    await behalf.send('m.room.message', withCaption(video, ''), 'u1');
    expect(asked()).toEqual([
      ['POST /api/v1/videos/v/comments', { text: 'Hi', nonce: 'n1' }],
      ['POST /api/v1/videos/v/comments', { text: 'Ho', nonce: 'n2' }],
      ['POST /api/v1/videos/v/reactions', { key: '👍', nonce: expect.stringMatching(/^[\w-]{22}$/) as unknown }],
      ['POST /api/v1/rooms/!r/videos', { upload: 'u1', title: 'A lake', nonce: 'n3' }],
      ['POST /api/v1/rooms/!r/videos', { upload: 'u1', nonce: 'n3' }],
    ]);
  });

  it('asks once for all that is said, and takes back what is the viewer’s own', async () => {
    const events = [{ event_id: '$c', type: 'm.room.message', sender: BOB, origin_server_ts: 1, content: {}, on_behalf: false }, aReaction('$r~1', BOB), aReaction('$r~2', '@carol:x.org')];
    answer.mockImplementation((method) => (method === 'DELETE' ? new Response(null, { status: 204 }) : new Response(JSON.stringify({ events }))));
    const [replies, reactions] = await Promise.all([behalf.relations('$v', { type: 'm.room.message' }), behalf.relations('$v', { type: 'm.reaction' })]);
    expect([replies.events.map((each) => each.event_id), reactions.events.map((each) => each.event_id)]).toEqual([['$c'], ['$r~1', '$r~2']]);
    expect(['$c', '$r~1', '$r~2'].map((id) => behalf.mayRedact(id))).toEqual([false, true, false]);
    await behalf.send('m.room.redaction', { redacts: '$r~1' });
    await expect(behalf.send('m.room.redaction', { redacts: '$r~2' })).rejects.toMatchObject({ status: 403 });
    expect(asked()).toEqual(['GET /api/v1/videos/v/said', 'DELETE /api/v1/videos/v/said/%24r~1']);
    // What is gone already is taken back, what the server does not answer to is not.
    answer.mockImplementationOnce(() => new Response('{"errcode": "M_NOT_FOUND"}', { status: 404 }));
    await behalf.send('m.room.redaction', { redacts: '$r~1' });
    answer.mockImplementationOnce(() => new Response('{"errcode": "M_UNKNOWN"}', { status: 503 }));
    await expect(behalf.send('m.room.redaction', { redacts: '$r~1' })).rejects.toMatchObject({ status: 503 });
  });

  it('asks nothing about a video that is gone, and believes no answer that makes no sense', async () => {
    await expect(behalf.relations('$gone', { type: 'm.reaction' })).rejects.toMatchObject({ status: 404 });
    expect(answer).not.toHaveBeenCalled();
    answer.mockImplementation(() => new Response('{"events": "none"}'));
    await expect(behalf.relations('$v', { type: 'm.reaction' })).rejects.toThrow('said.events');
  });
});
