// Full screen: of the whole player where the browser can, on an iPhone of the video alone, in the system's own player.

/** WebKit's way for videos, older than the Fullscreen API and on an iPhone the only one. */
interface WebKitVideo extends HTMLVideoElement {
  webkitEnterFullscreen?: () => void;
}

export type FullscreenWay = 'page' | 'video';

/** Null where the browser, or the client around us, lets nothing fill the screen. */
export function fullscreenWay(): FullscreenWay | null {
  if (document.fullscreenEnabled) return 'page';
  return 'webkitEnterFullscreen' in HTMLVideoElement.prototype ? 'video' : null;
}

/** Hands a video to the system's player, which has its own way back; does nothing before there is a frame. */
export function showInSystemPlayer(video: HTMLVideoElement): void {
  try {
    (video as WebKitVideo).webkitEnterFullscreen?.();
  } catch {
    // Nothing of it is loaded yet.
  }
}
