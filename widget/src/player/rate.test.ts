import { expect, it } from 'vitest';
import { applyRate, nudgeRate } from './rate';

it('keeps the pitch but where nobody hears it change', () => {
  const video = { playbackRate: 1, defaultPlaybackRate: 1, preservesPitch: true } as HTMLVideoElement;
  const nudged = (rate: number): [number, boolean] => {
    nudgeRate(video, rate);
    return [video.playbackRate, video.preservesPitch];
  };
  expect([1.05, 1.01, 1.005, 1, 0.98, 0.995].map(nudged)).toEqual([[1.05, true], [1.01, false], [1.005, false], [1, false], [0.98, true], [0.995, false]]);
  expect(video.defaultPlaybackRate, 'for a new source').toBe(1);
  applyRate(video, 1.5);
  expect([video.playbackRate, video.defaultPlaybackRate, video.preservesPitch]).toEqual([1.5, 1.5, true]);
});
