import { describe, expect, it } from 'vitest';
import { reelChange, takeoverOf, type Current, type Source } from './reel-change';

const source = (key: string, version: number, grant = 1): Source => ({ key, url: `/media/${grant}/${key}/${version}`, identity: `${key}/${version}` });
const NOTHING: Current = { shown: null, needsFreshUrl: false, opening: null, left: null };
const SHOWS: Current = { ...NOTHING, shown: source('@a', 1) };

describe('a reel that is to be shown', () => {
  it('is opened when nothing or another one shows, or a certain video of it is wanted', () => {
    expect([reelChange(source('@a', 1), NOTHING, false), reelChange(source('@b', 1), SHOWS, false), reelChange(source('@a', 1), SHOWS, true)]).toEqual(['open', 'open', 'open']);
  });

  it('is kept while it is the same, whatever its grant, unless the browser needs a fresh URL', () => {
    const again = source('@a', 1, 2);
    expect([reelChange(again, SHOWS, false), reelChange(again, { ...SHOWS, needsFreshUrl: true }, false), reelChange(source('@a', 1), { ...SHOWS, needsFreshUrl: true }, false)])
      .toEqual(['keep', 'replace', 'keep']);
  });

  it('is replaced by its newer version, once', () => {
    const newer = source('@a', 2);
    expect([reelChange(newer, SHOWS, false), reelChange(newer, { ...SHOWS, opening: newer }, false), reelChange(newer, { ...SHOWS, opening: newer }, true)]).toEqual(['replace', 'wait', 'open']);
  });

  it('comes back to where it was left, when it was made anew meanwhile', () => {
    const left: Current = { ...NOTHING, left: '@a' };
    expect([reelChange(source('@a', 2), left, false), reelChange(source('@a', 2), left, true), reelChange(source('@b', 1), left, false)]).toEqual(['return', 'open', 'open']);
  });
});

describe('a newer version', () => {
  const ids = new Map([['a', 1]]);

  it('waits for the end of an item that it still has, and for nothing else', () => {
    expect([takeoverOf('a', false, ids), takeoverOf('b', false, ids), takeoverOf(undefined, false, ids), takeoverOf('a', true, ids), takeoverOf('b', true, ids)])
      .toEqual(['boundary', 'skip', 'skip', 'resume', 'resume']);
  });
});
