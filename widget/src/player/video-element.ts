// A video element as the player needs it, with what it reports.

export interface VideoEvents {
  /** The time is another one, by playing or by seeking. */
  moved(): void;
  ended(): void;
  /** Data is missing. */
  waiting(): void;
  /** Data is there (again). */
  playable(): void;
  /** Stopped before its end. */
  paused(): void;
}

export function createVideo(events: VideoEvents): HTMLVideoElement {
  const video = document.createElement('video');
  Object.assign(video, { className: 'picture', playsInline: true, preload: 'auto', disableRemotePlayback: true, tabIndex: -1 });
  const on = (names: readonly (keyof HTMLMediaElementEventMap)[], act: () => void): void =>
    names.forEach((name) => video.addEventListener(name, act));
  on(['timeupdate', 'seeked'], () => events.moved());
  on(['canplay', 'playing'], () => events.playable());
  on(['ended'], () => events.ended());
  on(['waiting'], () => events.waiting());
  on(['pause'], () => {
    // The event may come after the viewer has pressed play again.
    if (video.paused && !video.ended) events.paused();
  });
  return video;
}
