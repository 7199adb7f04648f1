// Reads HLS playlists as far as a reel's timeline needs it (RFC 8216).
import type { Segment } from './timeline';

/** The first variant's URI of a master playlist; null when the text is a media playlist. */
export function firstVariant(text: string): string | null {
  if (!text.includes('#EXT-X-STREAM-INF')) return null;
  return lines(text).find((line) => !line.startsWith('#')) ?? null;
}

/** False while segments may still be added (section 4.3.3.4). */
export function isEnded(text: string): boolean {
  return lines(text).includes('#EXT-X-ENDLIST');
}

/** The segments of a media playlist, their URLs as they are written there. */
export function segmentsOf(text: string): Segment[] {
  const segments: Segment[] = [];
  let [start, duration, discontinuity] = [0, 0, 0];
  for (const line of lines(text)) {
    if (line === '#EXT-X-DISCONTINUITY') discontinuity += 1;
    else if (line.startsWith('#EXTINF:')) duration = Number.parseFloat(line.slice('#EXTINF:'.length)) || 0;
    else if (!line.startsWith('#')) {
      segments.push({ url: line, start, duration, discontinuity });
      start += duration;
    }
  }
  return segments;
}

/** The same playlist with a start, in seconds (section 4.3.5.2). */
export function startingAt(text: string, start: number): string {
  return text.replace('#EXTM3U', `#EXTM3U\n#EXT-X-START:TIME-OFFSET=${start.toFixed(3)}`);
}

function lines(text: string): string[] {
  return text.split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== '');
}
