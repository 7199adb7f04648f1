import { describe, expect, it } from 'vitest';
import { chooseType, extensionOf, isVideo } from './file';
import { NOTHING, type Recording } from './model';
import { reduce, type Action } from './state';
import { isFull, statusOf, percentOf, wouldLose } from './status';
import { isTooLong, partOf, conversionOf } from './trim';
import { decodePrepared, mediaUrl, withCaption } from './upload';

const after = (...actions: readonly Action[]): Recording => actions.reduce(reduce, NOTHING);
const BEGIN: Action = { type: 'begin', name: 'take.webm', mimetype: 'video/webm' };
const LIVE: readonly Action[] = [{ type: 'open', source: 'camera' }, { type: 'live' }];
const RECORDING: readonly Action[] = [...LIVE, { type: 'count', left: 3 }, BEGIN, { type: 'recorded', size: 1000, duration: 8 }];
const REVIEW: readonly Action[] = [...RECORDING, { type: 'stopped', duration: 10 }];
const chose = (name: string, mimetype: string, size: number): Action => ({ type: 'chose', name, mimetype, size });
const FILE: readonly Action[] = [chose('trip.mp4', 'video/mp4', 5000), { type: 'measured', duration: 20 }];

describe('a recording', () => {
  it('goes from the camera to the review', () => {
    expect(after({ type: 'open', source: 'screen' })).toMatchObject({ phase: 'opening', source: 'screen' });
    expect(after(...LIVE, { type: 'count', left: 2 })).toMatchObject({ phase: 'counting', countdown: 2 });
    expect(after(...LIVE, { type: 'count', left: 2 }, { type: 'live' })).toMatchObject({ phase: 'live', countdown: 0 });
    expect(after(...RECORDING).take).toEqual({ source: 'camera', name: 'take.webm', type: 'video/webm', size: 1000, duration: 8 });
    expect(after(...RECORDING, { type: 'pause' }).phase).toBe('paused');
    expect(after(...RECORDING, { type: 'pause' }, { type: 'resume' }).phase).toBe('recording');
    expect(after(...REVIEW)).toMatchObject({ phase: 'review', trim: { start: 0, end: 10 }, take: { duration: 10 } });
  });

  it('takes nothing that comes too late', () => {
    const review = after(...REVIEW);
    for (const type of ['live', 'pause', 'resume'] as const) expect(reduce(review, { type })).toBe(review);
    expect(reduce(review, { type: 'stopped', duration: 3 })).toBe(review);
    expect(reduce(review, { type: 'open', source: 'camera' })).toBe(review);
    expect(after({ type: 'send' })).toBe(NOTHING);
    expect(after({ type: 'posted', eventId: '$1', audioLeftOut: null })).toBe(NOTHING);
    const running = after(...RECORDING);
    expect(reduce(running, chose('other.mp4', 'video/mp4', 1))).toBe(running);
  });

  it('that holds nothing is said to be so', () => {
    expect(after(...LIVE, BEGIN, { type: 'stopped', duration: 0 })).toMatchObject({ phase: 'choosing', problem: 'nothing' });
  });

  it('is not ended by a problem, but what was being opened is', () => {
    expect(after({ type: 'open', source: 'camera' }, { type: 'problem', problem: 'denied' })).toMatchObject({ phase: 'choosing', problem: 'denied' });
    expect(after(...RECORDING, { type: 'problem', problem: 'busy' })).toMatchObject({ phase: 'recording', problem: 'busy' });
    expect(after({ type: 'problem', problem: 'denied' }, { type: 'open', source: 'camera' }).problem).toBeNull();
  });

  it('stays when the view is closed; a camera that is only looked through does not', () => {
    expect(after(...LIVE, { type: 'close' }).phase).toBe('choosing');
    expect(after(...RECORDING, { type: 'close' }).phase).toBe('recording');
    expect(after(...REVIEW, { type: 'close' }).phase).toBe('review');
    expect(after(...REVIEW, { type: 'discard' })).toEqual(NOTHING);
  });

  it('ends before it is more than the server takes', () => {
    const with_ = (duration: number | null, size: number | null): Recording => after(...RECORDING, { type: 'limits', limits: { duration, size } });
    expect(isFull(with_(null, null))).toBe(false);
    expect(isFull(with_(9, null))).toBe(false);
    expect(isFull(with_(8, null))).toBe(true);
    expect(isFull(with_(10, 10_000_000))).toBe(false);
    expect(isFull(with_(10, 4_001_000))).toBe(true);
  });
});

describe('a file', () => {
  it('is looked at before it is taken', () => {
    expect(after(chose('a.png', 'image/png', 5))).toMatchObject({ phase: 'choosing', problem: 'not-a-video' });
    expect(after(chose('a.mp4', 'video/mp4', 0))).toMatchObject({ phase: 'choosing', problem: 'empty' });
    expect(after({ type: 'limits', limits: { duration: null, size: 4 } }, chose('a.mp4', 'video/mp4', 5)).problem).toBe('too-large');
    expect(after(chose('a.mkv', '', 5))).toMatchObject({ phase: 'review', take: { source: 'file', duration: null }, trim: null });
  });

  it('is known by its type, else by its name', () => {
    expect(isVideo('x', 'video/quicktime')).toBe(true);
    expect(isVideo('x.mkv', 'application/octet-stream')).toBe(true);
    expect(isVideo('x.ts', 'text/plain')).toBe(false);
    expect(isVideo('x.pdf', 'application/pdf')).toBe(false);
  });

  it('is only converted when it is trimmed', () => {
    expect(conversionOf(after(...FILE))).toEqual({ convert: false });
    expect(conversionOf(after(...FILE, { type: 'trim', edge: 'start', at: 2 }))).toEqual({ start: 2, convert: true });
    expect(conversionOf(after(...REVIEW))).toEqual({ convert: true });
  });
});

describe('a room that takes less', () => {
  const LIMIT: Action = { type: 'limits', limits: { duration: 5, size: null } };

  it('has a part chosen that it takes', () => {
    const review = after(LIMIT, ...REVIEW);
    expect(review.trim).toEqual({ start: 0, end: 5 });
    expect(isTooLong(review)).toBe(true);
    expect(conversionOf(review)).toEqual({ end: 5, convert: true });
    expect(after(LIMIT, ...FILE).trim).toEqual({ start: 0, end: 5 });
    // Also where it takes less only since.
    expect(after(...REVIEW, LIMIT).trim).toEqual({ start: 0, end: 5 });
  });

  it('lets the part be anywhere: the other end comes along', () => {
    const at = (edge: 'start' | 'end', value: number): Recording['trim'] => after(LIMIT, ...REVIEW, { type: 'trim', edge, at: value }).trim;
    expect(at('end', 8)).toEqual({ start: 3, end: 8 });
    expect(at('start', 2)).toEqual({ start: 2, end: 5 });
    const late = after(LIMIT, ...REVIEW, { type: 'trim', edge: 'end', at: 10 });
    expect(reduce(late, { type: 'trim', edge: 'start', at: 1 }).trim).toEqual({ start: 1, end: 6 });
  });

  it('is told the end of what is about as long: the server measures more exactly', () => {
    const close = (duration: number): Recording => after(LIMIT, ...RECORDING, { type: 'stopped', duration });
    expect(conversionOf(close(4.5))).toEqual({ end: 4.5, convert: true });
    expect(isTooLong(close(4.5))).toBe(false);
    expect(conversionOf(close(3))).toEqual({ convert: true });
    // A file as it is would be converted for nothing.
    const file = (duration: number): Recording => after(LIMIT, chose('trip.mp4', 'video/mp4', 5000), { type: 'measured', duration });
    expect(conversionOf(file(4.9))).toEqual({ convert: false });
    expect(conversionOf(file(5.01))).toEqual({ end: 5, convert: true });
  });

  it('does not make what nobody touched a thing to lose', () => {
    expect(wouldLose(after(LIMIT, ...FILE))).toBe(false);
    expect(wouldLose(after(LIMIT, ...FILE, { type: 'trim', edge: 'end', at: 7 }))).toBe(true);
  });
});

describe('trimming', () => {
  const at = (edge: 'start' | 'end', value: number, from = REVIEW): Recording => after(...from, { type: 'trim', edge, at: value });

  it('stays within the take and keeps something of it', () => {
    expect(at('start', 3).trim).toEqual({ start: 3, end: 10 });
    expect(at('start', -1).trim).toEqual({ start: 0, end: 10 });
    expect(at('start', 12).trim).toEqual({ start: 9.5, end: 10 });
    expect(at('end', 0).trim).toEqual({ start: 0, end: 0.5 });
    expect(at('end', 99).trim).toEqual({ start: 0, end: 10 });
    expect(at('end', NaN).trim).toEqual({ start: 0, end: 10 });
  });

  it('leaves a take alone that is shorter than the shortest', () => {
    const short = [...RECORDING, { type: 'stopped', duration: 0.3 }] as const;
    expect(at('start', 0.2, short).trim).toEqual({ start: 0, end: 0.3 });
  });

  it('tells the server only of ends that were moved', () => {
    expect(partOf(after(...REVIEW))).toBeNull();
    expect(partOf(at('start', 0.04))).toBeNull();
    expect(partOf(at('end', 7))).toEqual({ end: 7 });
    expect(partOf(after(...REVIEW, { type: 'trim', edge: 'start', at: 1 }, { type: 'trim', edge: 'end', at: 7 }))).toEqual({ start: 1, end: 7 });
  });
});

describe('sending', () => {
  const SENDING: readonly Action[] = [...REVIEW, { type: 'caption', text: 'Hello' }, { type: 'send' }];

  it('goes through its steps', () => {
    expect(percentOf(after(...SENDING))).toBe(0);
    expect(percentOf(after(...SENDING, { type: 'uploaded', bytes: 250 }))).toBe(25);
    expect(percentOf(after(...SENDING, { type: 'uploaded', bytes: 250 }, { type: 'step', step: 'prepare' }))).toBeNull();
    expect(percentOf(after(...SENDING, { type: 'step', step: 'prepare' }, { type: 'percent', percent: 40 }))).toBe(40);
    expect(after(...SENDING, { type: 'posted', eventId: '$1', audioLeftOut: null })).toMatchObject({ phase: 'sent', eventId: '$1', caption: '' });
  });

  it('can fail at each step, and be tried again without losing a word', () => {
    const failed = after(...SENDING, { type: 'failed', failure: { step: 'post', code: 'post' } });
    expect(statusOf(failed)).toBe('failed');
    expect(reduce(failed, { type: 'send' })).toMatchObject({ phase: 'sending', failure: null, caption: 'Hello' });
    expect(reduce(failed, { type: 'edit' })).toMatchObject({ phase: 'review', failure: null, caption: 'Hello', trim: { start: 0, end: 10 } });
  });

  it('says when the connection came back, and not before it was lost', () => {
    expect(after(...REVIEW, { type: 'link', lost: false }).resumed).toBe(false);
    expect(after(...REVIEW, { type: 'link', lost: true })).toMatchObject({ lost: true, resumed: false });
    expect(after(...REVIEW, { type: 'link', lost: true }, { type: 'link', lost: false })).toMatchObject({ lost: false, resumed: true });
    expect(after(...REVIEW, { type: 'link', lost: true }, { type: 'link', lost: false }, { type: 'announced' }).resumed).toBe(false);
    expect(after(...REVIEW, { type: 'link', lost: true }, { type: 'link', lost: false }, { type: 'link', lost: true }).resumed).toBe(false);
  });

  it('puts the words beside the name of the file', () => {
    const content = { msgtype: 'm.video', body: 'a.mp4', url: 'mxc://x/y' };
    expect(withCaption(content, ' Hello ')).toEqual({ ...content, filename: 'a.mp4', body: 'Hello' });
    expect(withCaption({ ...content, filename: 'b.mp4' }, ' ')).toEqual({ ...content, filename: 'b.mp4', body: 'b.mp4' });
  });
});

it('hints at what the closed view holds', () => {
  const statuses = [NOTHING, after(...LIVE), after(...RECORDING), after(...RECORDING, { type: 'pause' }), after(...REVIEW), after(...REVIEW, { type: 'send' })].map(statusOf);
  expect(statuses).toEqual([null, null, 'recording', 'recording', 'draft', 'sending']);
});

it('asks before it discards what cannot be had again', () => {
  expect(wouldLose(after(...LIVE))).toBe(false);
  expect(wouldLose(after(...RECORDING))).toBe(true);
  expect(wouldLose(after(...REVIEW))).toBe(true);
  expect(wouldLose(after(...FILE))).toBe(false);
  expect(wouldLose(after(...FILE, { type: 'caption', text: 'Hello' }))).toBe(true);
  expect(wouldLose(after(...FILE, { type: 'trim', edge: 'end', at: 3 }))).toBe(true);
});

it('asks the browser which type it records', () => {
  expect(chooseType((type) => type.startsWith('video/webm;codecs=vp8'))).toBe('video/webm;codecs=vp8,opus');
  expect(chooseType(() => false)).toBeNull();
  expect(['video/mp4;codecs=avc1,opus', 'video/webm', 'video/x-matroska;codecs=avc1'].map(extensionOf)).toEqual(['mp4', 'webm', 'mkv']);
});

describe('the answer about an upload', () => {
  const content = { msgtype: 'm.video', url: 'mxc://x/y', body: 'a.mp4' };

  it('is read', () => {
    expect(decodePrepared({ id: 'u', state: 'preparing', percent: 140, failure: null, content: null })).toEqual({ state: 'preparing', percent: 100, failure: null, content: null, audioLeftOut: null });
    expect(decodePrepared({ state: 'ready', percent: null, content, audio_left_out: 'damaged' })).toMatchObject({ state: 'ready', content, audioLeftOut: 'damaged' });
    expect(decodePrepared({ state: 'ready', percent: null, content, audio_left_out: 'of a later release' }).audioLeftOut).toBeNull();
    expect(decodePrepared({ state: 'failed', failure: { code: 'broken-file' } }).failure).toBe('broken-file');
  });

  it('is read where its file is encrypted, and goes as it is', () => {
    const file = { v: 'v2', url: 'mxc://x/y', key: { k: 'secret' }, iv: 'i', hashes: { sha256: 'h' } };
    const encrypted = { msgtype: 'm.video', body: 'a.mp4', file, info: { thumbnail_file: file } };
    const prepared = decodePrepared({ state: 'ready', percent: null, content: encrypted });
    expect(prepared.content).toEqual(encrypted);
    expect(withCaption(encrypted, 'Hello')).toEqual({ ...encrypted, filename: 'a.mp4', body: 'Hello' });
    expect([content, encrypted, { url: 5 }, { file: null, url: 'mxc://a/b' }].map(mediaUrl)).toEqual(['mxc://x/y', 'mxc://x/y', null, 'mxc://a/b']);
  });

  it('is refused when it is malformed', () => {
    for (const wrong of [null, {}, { state: 'gone' }, { state: 'ready' }, { state: 'ready', content: { url: 1 } }, { state: 'ready', content: { file: {} } }, { state: 'ready', content: { file: 'mxc://x/y' } }, { state: 'failed', failure: 'x' }]) {
      expect(() => decodePrepared(wrong)).toThrow();
    }
  });
});
