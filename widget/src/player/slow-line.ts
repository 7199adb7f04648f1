// Reports that the viewer's line is too slow for what there is of a video, so that lower renditions are made.
import { slowLineUrl } from '../core/slow-line';

/** `url`: of the playlist in which the video plays. Nobody waits for the response: it plays on as it is. */
export function reportSlowLine(url: string, videoId: string): void {
  const target = slowLineUrl(url, videoId);
  if (target !== null) fetch(target, { method: 'POST', credentials: 'omit' }).catch(() => undefined);
}
