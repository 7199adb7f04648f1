import { FluentResource } from '@fluent/bundle';
import { describe, expect, it } from 'vitest';
import en from '../../locales/en.ftl?raw';
import zh from '../../locales/zh.ftl?raw';
import zhTW from '../../locales/zh-TW.ftl?raw';
import { progressText } from './progress';
import { LANGUAGES, translatorOf } from './text';

const CATALOGUES = { en, zh, 'zh-TW': zhTW };

/** The codes that the server gives as reasons. */
const CODES = [
  'empty-file', 'no-decoder', 'not-a-video', 'not-a-picture', 'not-a-sound', 'broken-file', 'too-long', 'too-large-picture', 'too-high-frame-rate', 'too-many-streams',
  'took-too-long', 'tool-missing', 'failed', 'media-gone', 'media-too-large', 'download-failed', 'hash-mismatch', 'encrypted-file', 'room-encrypted', 'internal',
];
const TROUBLES = ['outside', 'no-answer', 'declined', 'identity', 'not-member', 'offline', 'server', 'busy', 'no-room', 'unsupported'];
const EMPTINESSES = ['room', 'member', 'own', 'waiting', 'preparing', 'failed'];
const PROBLEMS = ['denied', 'blocked', 'missing', 'busy', 'insecure', 'unsupported', 'broken', 'not-a-video', 'empty', 'too-large', 'nothing', 'kept', 'permission'];
const UPLOAD_FAILURES = ['upload', 'refused', 'unavailable', 'too-large', 'busy', 'full', 'post'];
const REFUSALS = ['conflict', 'forbidden', 'gone', 'late', 'server'];
const MENU = [
  'rename', 'hide', 'show', 'avatar-set', 'avatar-unset', 'publish', 'unpublish', 'copy-link', 'move-up', 'move-down', 'move-top', 'move-end',
  'report', 'dismiss', 'delete',
];
const BUILT = [
  ...['seconds', 'minutes'].map((unit) => `widget-progress-${unit}`),
  ...CODES.map((code) => `failure-${code}`),
  ...['no-decoder', 'encrypted', 'damaged', 'too-many-channels', 'some-tracks', 'parts'].map((code) => `audio-${code}`),
  ...TROUBLES.flatMap((trouble) => [`widget-error-${trouble}`, `widget-error-${trouble}-hint`]),
  ...PROBLEMS.flatMap((problem) => [`widget-record-problem-${problem}`, `widget-record-problem-${problem}-hint`]),
  ...UPLOAD_FAILURES.map((code) => `widget-record-failed-${code}`),
  ...['upload', 'prepare', 'post'].map((step) => `widget-record-step-${step}`),
  ...['recording', 'draft', 'sending', 'failed'].map((mark) => `widget-record-${mark}`),
  ...MENU.map((item) => `widget-menu-${item}`),
  ...REFUSALS.flatMap((why) => [`widget-refused-${why}`, `widget-refused-order-${why}`]),
  ...['avatar', 'published', 'reported'].map((mark) => `widget-mark-${mark}`),
  ...EMPTINESSES.flatMap((emptiness) => [`widget-empty-${emptiness}`, `widget-empty-${emptiness}-hint`]),
];

const idsOf = (catalogue: string): string[] => new FluentResource(catalogue).body.map(({ id }) => id).sort();
const sources = import.meta.glob<string>('./**/*.tsx', { query: '?raw', import: 'default', eager: true });

describe('catalogues', () => {
  it.each(LANGUAGES)('hold the same messages in %s', (language) => {
    expect(idsOf(CATALOGUES[language])).toEqual(idsOf(en));
  });

  it('hold every message that the page asks for', () => {
    const written = Object.values(sources).flatMap((source) => source.match(/(?<=['"])widget-[a-z-]+(?=['"])/g) ?? []);
    expect(idsOf(en)).toEqual(expect.arrayContaining([...BUILT, ...written]));
    expect(written.length).toBeGreaterThan(30);
  });

  it.each(LANGUAGES)('say of what kind it was that failed in %s', (language) => {
    const t = translatorOf(language, new FluentResource(CATALOGUES[language]));
    const said = ['video', 'image', 'voice'].map((kind) => t('failure-media-gone', { kind }));
    expect(new Set(said).size).toBe(3);
    // Who does not say speaks of a video: what is uploaded here is always one.
    expect(t('failure-media-gone')).toBe(said[0]);
  });

  it.each(LANGUAGES)('speak times in %s', (language) => {
    const t = translatorOf(language, new FluentResource(CATALOGUES[language]));
    const spoken = [[0, 0, 1], [0, 2, 5], [1, 2, 3]].map(([hours = 0, minutes = 0, seconds = 0]) => t('widget-spoken-time', { hours, minutes, seconds }));
    expect(spoken.map((text) => text.replace(/[\u2068\u2069]/g, ''))).toEqual(
      {
        en: ['1 second', '2 minutes 5 s', '1 h 2 min 3 s'],
        zh: ['1 秒', '2 分 5 秒', '1 小时 2 分 3 秒'],
        'zh-TW': ['1 秒', '2 分 5 秒', '1 小時 2 分 3 秒'],
      }[language],
    );
  });

  it.each(LANGUAGES)('say how far a video is in %s', (language) => {
    const t = translatorOf(language, new FluentResource(CATALOGUES[language]));
    const said = [{ percent: 42.9, remaining: 16 }, { percent: 7, remaining: 61 }, { percent: 1, remaining: null }].map((progress) => progressText(progress, t));
    expect(said.map((text) => text.replace(/[\u2068\u2069]/g, ''))).toEqual(
      {
        en: ['42 %, about 20 s left', '7 %, about 1 min left', '1 %'],
        zh: ['42%，约剩 20 秒', '7%，约剩 1 分钟', '1%'],
        'zh-TW': ['42%，約剩 20 秒', '7%，約剩 1 分鐘', '1%'],
      }[language],
    );
  });

  it.each(LANGUAGES)('write numbers as the browser does in %s', (language) => {
    const t = translatorOf(language, new FluentResource('number = { $n }'), [language]);
    const numbers = [0, 7, 999, 1000, 1234567, 1.5, -3];
    expect(numbers.map((n) => t('number', { n }).replace(/[\u2068\u2069]/g, ''))).toEqual(numbers.map((n) => new Intl.NumberFormat(language).format(n)));
  });
});
