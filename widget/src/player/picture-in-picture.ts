// Picture-in-picture: one window above all others, which has to go along when the other element takes over.

/** False where the browser, or the client around us, does not have it. */
export function canFloat(): boolean {
  return document.pictureInPictureEnabled;
}

export function isFloating(video: HTMLVideoElement): boolean {
  return document.pictureInPictureElement === video;
}

/** Opens the window, or closes it; does nothing where the browser refuses. */
export async function toggleFloating(video: HTMLVideoElement): Promise<void> {
  await (isFloating(video) ? document.exitPictureInPicture() : video.requestPictureInPicture()).catch(() => undefined);
}

/** Shows another element in the window that there is: no gesture is needed for that. */
export async function floatInstead(video: HTMLVideoElement): Promise<void> {
  await video.requestPictureInPicture().catch(() => undefined);
}
