// How fast the video plays, and how somebody holds a key to get through quickly.

/** The speed while the viewer holds a key, a button or the video. */
export const RUSH = 2;

/** A new source would start at the default again. */
export function applyRate(video: HTMLVideoElement, rate: number): void {
  video.defaultPlaybackRate = rate;
  video.playbackRate = rate;
}
