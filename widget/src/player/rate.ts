// How fast the video plays, and how somebody holds a key to get through quickly.
import { changesPitch } from '../core/sync';

/** The speed while the viewer holds a key, a button or the video. */
export const RUSH = 2;

/** A new source would start at the default again. */
export function applyRate(video: HTMLVideoElement, rate: number): void {
  video.defaultPlaybackRate = rate;
  video.playbackRate = rate;
  video.preservesPitch = true;
}

/** For a while, to be in sync: `rate` is nearly 1. */
export function nudgeRate(video: HTMLVideoElement, rate: number): void {
  if (video.playbackRate === rate) return;
  // At its own speed it does not matter, and a browser may pay for a change.
  if (rate !== 1) video.preservesPitch = changesPitch(rate);
  video.playbackRate = rate;
}
