import { describe, expect, it } from 'vitest';
import { takenOf } from './camera';

const SENT = Date.UTC(2026, 10, 30, 8, 5);
const clock = (date: Date | undefined): string => (date === undefined ? '' : `${date.getMonth() + 1}-${date.getDate()} ${date.getHours()}:${date.getMinutes()}`);

describe('takenOf', () => {
  it.each([
    'IMG_20261129_103211.jpg', 'VID_20261129_103211', '20261129_103211.mp4', '20261129_103211', 'VID_20261129_103211~2.mp4', 'IMG_20261129_103211_HDR.jpg',
    '20261129_103211(1).mp4', 'WhatsApp Video 2026-11-29 at 10.32.11.mp4', 'video_2026-11-29_10-32-11.mp4', 'signal-2026-11-29-10-32-11-123.mp4',
    '2026-11-29 10-32-11.mkv', 'WIN_20261129_10_32_11_Pro.mp4'.replace('_Pro', '_PRO'),
  ])('reads what the clock showed: %s', (name) => {
    const taken = takenOf(name, SENT);
    expect([clock(taken?.date), taken?.timed, taken?.screen]).toEqual(['11-29 10:32', true, false]);
  });

  it('reads UTC where the phone writes that', () => {
    expect(takenOf('PXL_20261129_103211123.mp4', SENT)?.date.getTime()).toBe(Date.UTC(2026, 10, 29, 10, 32));
    expect(takenOf('PXL_20261129_103211123.TS', SENT)?.date.getTime()).toBe(Date.UTC(2026, 10, 29, 10, 32));
  });

  it.each([
    'Screen Recording 2026-11-29 at 10.32.11.mov', 'Screen Recording 2026-11-29 at 10.32.11\u202fAM', 'Screen_Recording_20261129_103211_Chrome.mp4',
    'Screenrecorder-2026-11-29-10-32-11-123.mp4', 'Screencast from 2026-11-29 10-32-11.webm',
  ])('knows what shows a screen: %s', (name) => {
    const taken = takenOf(name, SENT);
    expect([clock(taken?.date), taken?.timed, taken?.screen]).toEqual(['11-29 10:32', true, true]);
  });

  it('reads the second half of a day', () => {
    expect(['1.05.00 PM', '12.05.00 PM', '12.05.00 AM'].map((time) => clock(takenOf(`Screen Recording 2026-11-29 at ${time}`, SENT)?.date))).toEqual([
      '11-29 13:5', '11-29 12:5', '11-29 0:5',
    ]);
  });

  it('knows the day alone', () => {
    const taken = takenOf('VID-20261129-WA0003.mp4', SENT);
    expect([taken?.date.getMonth(), taken?.date.getDate(), taken?.timed]).toEqual([10, 29, false]);
  });

  it.each(['trim.A1B2C3D4-1234-4ABC-9DEF-0123456789AB.MOV', 'trim.A1B2C3D4-1234-4ABC-9DEF-0123456789AB', 'IMG_0042.MOV', 'MVI_1234', 'GX010042.MP4', 'RPReplay_Final1764412331.MP4'])(
    'takes the time of sending where the name tells none: %s', (name) => {
      expect(takenOf(name, SENT)?.date.getTime()).toBe(SENT);
    },
  );

  it.each([
    'My lake', '2026-11-29', '20261129', 'video 2026-11-29', '20261129_103211 at the lake', 'IMG_20261329_103211', 'IMG_20261131_103211', 'IMG_20261129_253211', 'trim.', 'IMG',
    'Party 20261129_103211', 'trim.tab', 'v1.2 final', '12:30', '', `IMG_20261129_103211${'_1'.repeat(50)}`, 'IMG_20261129_103211\n',
  ])('leaves what people wrote: %j', (name) => {
    expect(takenOf(name, SENT)).toBeNull();
  });
});
