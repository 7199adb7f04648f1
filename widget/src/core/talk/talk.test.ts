import { describe, expect, it } from 'vitest';
import { isEmoji, isForOthers, localEvent, reactionContent, replyContent } from './content';
import { isLoose, targetOf } from './events';
import { emptyTalk, withoutEvents, applyEvents, MOST_REPLIES, withoutRedactions, type Talk } from './state';
import { foremost, reactionsOf, reactionWith, repliesOf } from './views';
import { ago } from '../format';

const VIDEO = '$video';
const NOW = 1_000_000;
const ALICE = '@alice:x.org';
const BOB = '@bob:x.org';

const event = (id: string, type: string, content: unknown, fields: object = {}): object => ({
  event_id: id, type, sender: ALICE, origin_server_ts: NOW - 1_000, content, ...fields,
});
const reaction = (id: string, key: unknown, fields: object = {}): object =>
  event(id, 'm.reaction', { 'm.relates_to': { rel_type: 'm.annotation', event_id: VIDEO, key } }, fields);
const reply = (id: string, body: unknown, fields: object = {}, content: object = {}): object =>
  event(id, 'm.room.message', { msgtype: 'm.text', body, 'm.relates_to': { rel_type: 'm.thread', event_id: VIDEO }, ...content }, fields);
const edit = (id: string, target: string, body: unknown, fields: object = {}): object =>
  event(id, 'm.room.message', {
    msgtype: 'm.text', body: `* ${String(body)}`, 'm.new_content': { msgtype: 'm.text', body }, 'm.relates_to': { rel_type: 'm.replace', event_id: target },
  }, fields);
const redaction = (id: string, redacts: unknown, inContent = true): object =>
  event(id, 'm.room.redaction', inContent ? { redacts } : {}, inContent ? {} : { redacts });
const after = (events: readonly unknown[], talk: Talk = emptyTalk(VIDEO)): Talk => applyEvents(talk, events, { now: NOW });
const bodies = (talk: Talk): string[] => repliesOf(talk).map(({ text }) => text);

describe('reactions', () => {
  it('are counted by person, with and without the selector of the colourful form', () => {
    const talk = after([
      reaction('$1', '👍️'), reaction('$2', '👍', { sender: BOB }), reaction('$3', '👍'), reaction('$4', '🎉', { sender: BOB, origin_server_ts: 1 }),
    ]);
    expect(reactionsOf(talk, BOB)).toEqual([
      { key: '🎉', label: '🎉', count: 1, mine: ['$4'] },
      { key: '👍️', label: '👍️', count: 2, mine: ['$2'] },
    ]);
    expect(reactionWith(reactionsOf(talk, BOB), '👍')?.key).toBe('👍️');
  });

  it('of other events, and what only looks like one, are not counted', () => {
    const relation = { rel_type: 'm.annotation', event_id: VIDEO, key: '👍' };
    const talk = after([
      event('$1', 'm.reaction', { 'm.relates_to': { ...relation, event_id: '$other' } }),
      event('$2', 'm.reaction', { 'm.relates_to': { ...relation, rel_type: 'm.thread' } }),
      event('$3', 'm.room.message', { 'm.relates_to': relation, body: 'x' }),
      event('$4', 'm.reaction', { 'm.relates_to': relation }, { state_key: '' }),
      ...[7, null, {}, ['👍'], '', '   ', '\u202e\u0000', '\u0301\u0301', 'x'.repeat(201)].map((key, index) => reaction(`$key${index}`, key)),
    ]);
    expect(reactionsOf(talk, BOB)).toEqual([]);
  });

  it('that are words or images show in short, on one line', () => {
    const picture = event('$p', 'm.reaction', { shortcode: ':party_blob:', 'm.relates_to': { rel_type: 'm.annotation', event_id: VIDEO, key: 'mxc://x/y' } });
    const talk = after([reaction('$1', `${'so '.repeat(20)}good`), reaction('$2', 'a\nb'), picture, reaction('$3', 'mxc://x/z')]);
    const labels = reactionsOf(talk, BOB).map(({ label }) => label);
    expect(labels).toEqual([`${'so '.repeat(8)}…`, 'a b', ':party_blob:', '🖼️']);
  });

  it('can be taken back, whether the word of it comes before or after', () => {
    expect(reactionsOf(after([reaction('$1', '👍'), redaction('$r', '$1')]), ALICE)).toEqual([]);
    expect(reactionsOf(after([redaction('$r', '$1', false), reaction('$1', '👍')]), ALICE)).toEqual([]);
    const before = after([reaction('$1', '👍')]);
    expect(reactionsOf(withoutRedactions(after([redaction('$r', '$1')], before), before, ['$1']), ALICE)).toHaveLength(1);
  });

  it('are there before the homeserver has answered, and gone when it refused', () => {
    const talk = after([localEvent('~1', 'm.reaction', BOB, NOW, reactionContent(VIDEO, '🔥'))]);
    expect(reactionsOf(talk, BOB)).toEqual([{ key: '🔥', label: '🔥', count: 1, mine: ['~1'] }]);
    expect(reactionsOf(withoutEvents(talk, ['~1']), BOB)).toEqual([]);
  });

  it('are the bot’s to send unless they are images or sentences', () => {
    expect(['👍️', 'nice', '👨‍👩‍👧‍👦'.repeat(4), '👨‍👩‍👧‍👦'.repeat(5), 'mxc://x/y'].map(isForOthers)).toEqual([true, true, true, false, false]);
  });

  it('are cut down to the most used ones, in their order', () => {
    const some = [['a', 1], ['b', 5], ['c', 2], ['d', 1]].map(([key, count]) => ({ key: String(key), label: String(key), count: Number(count), mine: key === 'd' ? ['$d'] : [] }));
    expect(foremost(some, 3).map(({ key }) => key)).toEqual(['b', 'c', 'd']);
    expect(foremost(some, 4)).toBe(some);
  });
});

describe('replies', () => {
  it('are whose the bot sent them for, and nobody else can say so', () => {
    const profile = { 'com.beeper.per_message_profile': { id: BOB, displayname: '\u2060Bob', has_fallback: true } };
    const said = (sender: string): object => reply('$1', '\u2060Bob: \u2060Hi', { sender }, profile);
    const asked = (event: object): unknown => repliesOf(applyEvents(emptyTalk(VIDEO), [event], { now: NOW, bot: '@reel:x.org' })).map(({ sender, text }) => [sender, text]);
    expect(asked(said('@reel:x.org'))).toEqual([[BOB, 'Hi']]);
    expect(asked(said(ALICE))).toEqual([[ALICE, '\u2060Bob: \u2060Hi']]);
    expect(asked(reply('$1', 'This failed.', { sender: '@reel:x.org' }))).toEqual([['@reel:x.org', 'This failed.']]);
  });

  it('of the bot are edited by the bot alone, whoever it sent them for', () => {
    const profile = { 'com.beeper.per_message_profile': { id: BOB, displayname: 'Bob', has_fallback: true } };
    const edit = event('$2', 'm.room.message', { 'msgtype': 'm.text', 'body': 'x', 'm.new_content': { msgtype: 'm.text', body: 'No' }, 'm.relates_to': { rel_type: 'm.replace', event_id: '$1' } }, { sender: BOB });
    const talk = applyEvents(emptyTalk(VIDEO), [reply('$1', 'Bob: Hi', { sender: '@reel:x.org' }, profile), edit], { now: NOW, bot: '@reel:x.org' });
    expect(repliesOf(talk).map(({ sender, text }) => [sender, text])).toEqual([[BOB, 'Hi']]);
  });

  it('stand in the order of their times, in the thread or beside it', () => {
    const plain = event('$2', 'm.room.message', { msgtype: 'm.text', body: 'two', 'm.relates_to': { 'm.in_reply_to': { event_id: VIDEO } } }, { origin_server_ts: 20 });
    const talk = after([reply('$3', 'three', { origin_server_ts: 30 }), plain, reply('$1', 'one', { origin_server_ts: 10 })]);
    expect(repliesOf(talk).map(({ text, inThread }) => [text, inThread])).toEqual([['one', true], ['two', false], ['three', true]]);
  });

  it('of other threads, and answers to other messages, are not among them', () => {
    const talk = after([
      reply('$1', 'x', {}, { 'm.relates_to': { rel_type: 'm.thread', event_id: '$other', 'm.in_reply_to': { event_id: VIDEO } } }),
      reply('$2', 'x', {}, { 'm.relates_to': { 'm.in_reply_to': { event_id: '$other' } } }),
      reply('$3', 'x', {}, { 'm.relates_to': undefined }),
      reply('$4', 'x', { type: 'm.sticker' }),
    ]);
    expect(repliesOf(talk)).toEqual([]);
  });

  it('are known as such by where they were found, when an edit took their relation', () => {
    const bare = reply('$1', 'edited', {}, { 'm.relates_to': undefined });
    expect(bodies(applyEvents(emptyTalk(VIDEO), [bare], { now: NOW, fromThread: true }))).toEqual(['edited']);
  });

  it('lose the quote of older clients, and keep one that was meant', () => {
    const answer = { 'm.relates_to': { 'm.in_reply_to': { event_id: VIDEO } } };
    const talk = after([
      reply('$1', '> <@alice:x.org> lake.mp4\n> more\n\nNice', { origin_server_ts: 1 }, answer),
      reply('$2', '> * <@alice:x.org> waves\n\nNice too', { origin_server_ts: 2 }, answer),
      reply('$3', '> as they say\nright', { origin_server_ts: 3 }, answer),
      reply('$4', '> <@alice:x.org> nothing but a quote', {}, answer),
    ]);
    expect(bodies(talk)).toEqual(['Nice', 'Nice too', '> as they say\nright']);
  });

  it('show their newest edit, by their sender alone, and what was before it when the edit is taken back', () => {
    const edits = [edit('$e2', '$1', 'third', { origin_server_ts: 30 }), edit('$e1', '$1', 'second', { origin_server_ts: 20 }), edit('$e3', '$1', 'forged', { sender: BOB, origin_server_ts: 40 })];
    const talk = after([...edits, reply('$1', 'first', { origin_server_ts: 10 })]);
    expect(repliesOf(talk)).toMatchObject([{ text: 'third', edited: true, at: 10 }]);
    expect(bodies(after([redaction('$r', '$e2')], talk))).toEqual(['second']);
    expect(repliesOf(after([redaction('$r', '$e2'), redaction('$s', '$e1')], talk))).toMatchObject([{ text: 'first', edited: false }]);
    expect(repliesOf(after([redaction('$r', '$1')], talk))).toEqual([]);
  });

  it('bring the edit that the homeserver hands out with them', () => {
    const talk = after([reply('$1', 'first', { unsigned: { 'm.relations': { 'm.replace': edit('$e', '$1', 'second') } } })]);
    expect(bodies(talk)).toEqual(['second']);
  });

  it('of every kind are text: HTML is never looked at', () => {
    const html = { format: 'org.matrix.custom.html', formatted_body: '<img src=x onerror=alert(1)>' };
    const talk = after([
      reply('$1', '<b>bold</b>', { origin_server_ts: 1 }, html),
      reply('$2', 'cat.jpg', { origin_server_ts: 2 }, { msgtype: 'm.image' }),
      reply('$3', 'waves', { origin_server_ts: 3 }, { msgtype: 'm.emote' }),
      reply('$4', 'from the future', { origin_server_ts: 4 }, { msgtype: 'org.example.hologram' }),
      reply('$5', 'typeless', { origin_server_ts: 5 }, { msgtype: { toString: 'x' } }),
    ]);
    expect(repliesOf(talk).map(({ kind, text }) => [kind, text])).toEqual([
      ['text', '<b>bold</b>'], ['file', 'cat.jpg'], ['emote', 'waves'], ['text', 'from the future'], ['text', 'typeless'],
    ]);
  });

  it('cannot fill the page, the memory or the future', () => {
    const many = Array.from({ length: MOST_REPLIES + 50 }, (_, index) => reply(`$${index}`, String(index), { origin_server_ts: index + 1 }));
    expect(bodies(after(many)).slice(0, 1)).toEqual(['50']);
    const [giant, tower, lines] = repliesOf(after([
      reply('$a', 'x'.repeat(5_000_000), { origin_server_ts: 1 }),
      reply('$b', `Z${'\u0301'.repeat(500)}algo`, { origin_server_ts: 2 }),
      reply('$c', `a\u0000\u202eb${'\n'.repeat(500)}c\ud83d`, { origin_server_ts: 9e15 }),
    ]));
    expect(giant?.text.length).toBeLessThan(5_000);
    expect(tower?.text).toBe(`Z${'\u0301'.repeat(4)}algo`);
    expect(lines).toMatchObject({ text: 'ab\n\nc', at: NOW });
  });
});

describe('hostile events', () => {
  const things: unknown[] = [null, undefined, 0, 'x', [], {}, { content: null }, { event_id: 7 }, new Array(3)];

  it.each(things.map((thing) => [thing]))('%o changes nothing', (thing) => {
    expect(after([thing])).toEqual(emptyTalk(VIDEO));
    expect([targetOf(thing), isLoose(thing)]).toEqual([null, false]);
  });

  it.each(['event_id', 'type', 'sender', 'content', 'origin_server_ts', 'unsigned'])('any value as %s throws nothing', (field) => {
    for (const value of [...things, { 'm.relates_to': 'x' }, { 'm.relates_to': { rel_type: 'm.replace', event_id: [] } }, 'x'.repeat(1_000), NaN, -1, Infinity]) {
      for (const whole of [reaction('$1', '👍'), reply('$1', 'a'), edit('$1', '$2', 'a'), redaction('$1', '$2')]) {
        const talk = after([{ ...whole, [field]: value }]);
        expect(repliesOf(talk).length + reactionsOf(talk, BOB).length).toBeLessThan(2);
      }
    }
  });

  it('as senders are no people', () => {
    for (const sender of ['alice', '@alice', '@:', '', '@alice:', '__proto__']) expect(after([reply('$1', 'a', { sender })]).replies.size).toBe(0);
  });

  it('cannot make a reply hold another that holds another', () => {
    const around = (inner: object): object => reply('$1', 'a', { unsigned: { 'm.relations': { 'm.replace': inner } } });
    let nested = reply('$0', 'a');
    for (let depth = 0; depth < 20_000; depth += 1) nested = around(nested);
    expect(after([nested]).replies.size).toBe(1);
  });
});

describe('what is sent', () => {
  it('is a reply in the thread, to its newest message for clients without threads', () => {
    const relation = { rel_type: 'm.thread', event_id: VIDEO, is_falling_back: true };
    expect(replyContent(emptyTalk(VIDEO), 'Hi', 'n')).toEqual({
      msgtype: 'm.text', body: 'Hi', 'm.mentions': {}, 'chat.roomreel.nonce': 'n', 'm.relates_to': { ...relation, 'm.in_reply_to': { event_id: VIDEO } },
    });
    const talk = after([reply('$1', 'a', { origin_server_ts: 1 }), reply('$2', 'b', { origin_server_ts: 2 })]);
    expect(replyContent(talk, 'Hi', 'n')).toMatchObject({ 'm.relates_to': { ...relation, 'm.in_reply_to': { event_id: '$2' } } });
  });

  it('names what it is about', () => {
    expect([reply('$1', 'a'), reaction('$1', 'a'), edit('$1', '$2', 'a'), redaction('$1', '$3')].map(targetOf)).toEqual([VIDEO, VIDEO, '$2', '$3']);
    expect([reply('$1', 'a'), reaction('$1', 'a'), edit('$1', '$2', 'a'), redaction('$1', '$3')].map(isLoose)).toEqual([false, false, true, true]);
  });
});

describe('small things', () => {
  it('tells emoji from words', () => {
    expect(['👍️', '❤️', '👩‍🚀', '🇩🇪', '7️⃣', '👍🏽'].map(isEmoji)).toEqual([true, true, true, true, true, true]);
    expect(['+1', '42', 'yes', '', '👍 yes'].map(isEmoji)).toEqual([false, false, false, false, false]);
  });

  it('says how long ago', () => {
    const day = 86_400_000;
    expect([0, 59_000, 60_000, 3_600_000, 5 * day, 70 * day, 800 * day, -day].map((past) => ago(NOW - past, NOW))).toEqual([
      { count: 0, unit: 'second' }, { count: 0, unit: 'second' }, { count: -1, unit: 'minute' }, { count: -1, unit: 'hour' },
      { count: -5, unit: 'day' }, { count: -2, unit: 'month' }, { count: -2, unit: 'year' }, { count: 0, unit: 'second' },
    ]);
  });
});
