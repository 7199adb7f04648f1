import { describe, expect, it } from 'vitest';
import type { Bookmark } from '../core/model';
import { aMember, aRoom, aVideo } from '../core/samples';
import { ReturnPoint } from './return-point';

const ALICE = '@alice:x';
const BOOKMARK: Bookmark = { selection: ALICE, videoId: 'b', position: 2, volume: 1, muted: false, speed: 1, loop: 'list', captions: null, keys: true, announce: true };
const LIST = [{ videoId: 'a', start: 0, duration: 5 }, { videoId: 'b', start: 5, duration: 5 }];

describe('a return point', () => {
  it('starts the reel of the last time where the viewer was, until they are there or went elsewhere', () => {
    const back = new ReturnPoint(null);
    expect(back.startIn(ALICE)).toBe(null);
    back.set(BOOKMARK);
    expect([back.startIn(ALICE)?.(LIST), back.startIn('@bob:x')]).toEqual([7, null]);
    back.arrived();
    expect(back.startIn(ALICE)).toBe(null);
    back.set(BOOKMARK);
    back.leave();
    expect(back.startIn(ALICE)).toBe(null);
  });

  it('leads to the linked video in the reel that holds it, once', () => {
    const back = new ReturnPoint('b');
    const room = aRoom([aMember(ALICE, [aVideo('a'), aVideo('b')])]);
    expect(back.linkedIn(room)?.owner.userId).toBe(ALICE);
    expect([back.takeLinked(new Map([['a', 1]])), back.takeLinked(undefined)]).toEqual([null, null]);
    expect([back.takeLinked(new Map([['b', 1]])), back.takeLinked(new Map([['b', 1]]))]).toEqual(['b', null]);
  });

  it('leaves a linked spoiler to the viewer, and forgets a link to what is not there', () => {
    const spoiler = new ReturnPoint('s');
    const room = aRoom([aMember(ALICE, [aVideo('s', 'ready', { spoiler: true }), aVideo('q', 'queued')])]);
    expect([spoiler.linkedIn(room)?.video.id, spoiler.linkedIn(room)]).toEqual(['s', null]);
    const pending = new ReturnPoint('q');
    expect([pending.linkedIn(room), pending.takeLinked(new Map([['q', 1]]))]).toEqual([null, null]);
  });

  it('is given up when the viewer chooses something', () => {
    const back = new ReturnPoint('b');
    back.leave();
    expect(back.takeLinked(new Map([['b', 1]]))).toBe(null);
  });
});
