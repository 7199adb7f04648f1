import { describe, expect, it } from 'vitest';
import { backoff, parseRetryAfter, pauseBefore } from './backoff';
import { clock, initials, localpart, roughly, titleOf } from './format';
import { chooseLanguage, hasContrast, readParams, themeOf } from './params';
import { firstVariant, isEnded, segmentsOf, startingAt } from './playlist';
import { Store } from './store';

describe('format', () => {
  it('writes times', () => {
    expect([clock(7.9), clock(754), clock(3723), clock(-1), clock(NaN)]).toEqual(['0:07', '12:34', '1:02:03', '0:00', '0:00']);
  });

  it('rounds what remains as one would say it', () => {
    expect([0, 5, 17.2, 55, 56, 100, 3600].map(roughly)).toEqual([
      { unit: 'seconds', count: 5 }, { unit: 'seconds', count: 5 }, { unit: 'seconds', count: 20 }, { unit: 'seconds', count: 55 },
      { unit: 'minutes', count: 1 }, { unit: 'minutes', count: 2 }, { unit: 'minutes', count: 60 },
    ]);
  });

  it('makes initials of every kind of name', () => {
    expect(['Alice Liddell', 'bob', '王小明', '👩‍🚀 Ada', '', '@x'].map(initials)).toEqual(['AL', 'B', '王', '👩‍🚀A', '?', 'X']);
  });

  it('shortens user ids and file names', () => {
    expect([localpart('@alice:x.org'), localpart('alice')]).toEqual(['alice', 'alice']);
    expect([titleOf('my_lake.MP4'), titleOf('v1.2 final'), titleOf('.mp4')]).toEqual(['my lake', 'v1.2 final', '.mp4']);
  });
});

describe('params', () => {
  it('counts what the client did not fill in as absent', () => {
    const query: Record<string, string> = { room_id: '!r', theme: '$org.matrix.msc2873.client_theme', lang: '', widgetId: 'w' };
    expect(readParams((name) => query[name] ?? null)).toEqual({ roomId: '!r', userId: null, theme: null, contrast: false, language: null, widgetId: 'w', parentUrl: null, videoId: null });
  });

  it('understands theme names', () => {
    expect(['dark', 'light-high-contrast', 'custom-Dark Blue', 'custom-x', 3].map(themeOf)).toEqual(['dark', 'light', 'dark', null, null]);
    expect(['light-high-contrast', 'dark-high-contrast', 'dark', null].map(hasContrast)).toEqual([true, true, false, false]);
  });

  it('chooses a language', () => {
    expect([chooseLanguage([null, 'de', 'zh-Hans-CN'], ['en', 'zh']), chooseLanguage(['fr'], ['en', 'zh'])]).toEqual(['zh', 'en']);
    const chinese = ['zh-TW', 'zh_HK', 'zh-Hant', 'ZH-hant-CN', 'zh', 'zh-CN', 'zh-Hans', 'zh-Hans-TW', 'zh_SG'];
    expect(chinese.map((wish) => chooseLanguage([wish], ['en', 'zh', 'zh-TW']))).toEqual(['zh-TW', 'zh-TW', 'zh-TW', 'zh-TW', 'zh', 'zh', 'zh', 'zh', 'zh']);
  });
});

describe('playlist', () => {
  it('reads segments with their discontinuities', () => {
    const text = '#EXTM3U\r\n#EXTINF:2.0,\r\n../v/a/0.m4s\r\n#EXT-X-DISCONTINUITY\r\n#EXTINF:1.5,x\r\n../v/b/0.m4s\r\n#EXT-X-ENDLIST';
    expect(segmentsOf(text)).toEqual([
      { url: '../v/a/0.m4s', start: 0, duration: 2, discontinuity: 0 },
      { url: '../v/b/0.m4s', start: 2, duration: 1.5, discontinuity: 1 },
    ]);
    expect(segmentsOf(startingAt(text, 2.5))).toEqual(segmentsOf(text));
    expect(startingAt(text, 2.5)).toContain('#EXT-X-START:TIME-OFFSET=2.500');
    expect(firstVariant(text)).toBeNull();
    expect([isEnded(text), isEnded(text.replace('#EXT-X-ENDLIST', ''))]).toEqual([true, false]);
    expect(firstVariant('#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow.m3u8\n')).toBe('low.m3u8');
  });
});

describe('backoff', () => {
  it('doubles up to a limit and spreads', () => {
    expect([backoff(0, 1), backoff(2, 1), backoff(99, 1), backoff(0, 0)]).toEqual([1000, 4000, 30_000, 500]);
  });

  it('heeds what the server asks for: never sooner, a little spread, and not for ever', () => {
    expect([pauseBefore(0, 0, 7_000), pauseBefore(9, 1, 7_000)]).toEqual([7_000, 8_750]);
    expect(pauseBefore(0, 0, 3_600_000)).toBe(120_000);
    expect([pauseBefore(0, 0, 0), pauseBefore(0, 1, 0)]).toEqual([500, 1_000]);
    expect([pauseBefore(9, 1, null), pauseBefore(9, 1, null, 8_000)]).toEqual([30_000, 8_000]);
  });

  it('reads Retry-After', () => {
    const now = Date.parse('Mon, 01 Jun 2026 10:00:00 GMT');
    const wait = (header: string | null): number | null => parseRetryAfter(header, now);
    expect([wait('3'), wait(' 0 '), wait('Mon, 01 Jun 2026 10:00:20 GMT'), wait('Mon, 01 Jun 2026 09:00:00 GMT')]).toEqual([3_000, 0, 20_000, 0]);
    expect([wait(null), wait('soon'), wait('-3'), wait('')]).toEqual([null, null, null, null]);
  });
});

describe('Store', () => {
  it('tells only of changes', () => {
    const store = new Store({ a: 1, b: 2 });
    let calls = 0;
    const stop = store.subscribe(() => (calls += 1));
    store.patch({ a: 1 });
    store.patch({ a: 5 });
    stop();
    store.patch({ a: 6 });
    expect([calls, store.get()]).toEqual([1, { a: 6, b: 2 }]);
  });
});
