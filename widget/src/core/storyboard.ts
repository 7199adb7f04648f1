// A sprite sheet for a preview of any time: a WebVTT file whose cues name parts of one image (Media Fragments, `#xywh=`).
import { cuesOf } from './webvtt';

export interface Tile {
  /** Seconds of the video at which it begins. */
  readonly start: number;
  /** The whole image, relative to the file that names it. */
  readonly image: string;
  /** Pixels of the image. */
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const PART = /^(\S+)#xywh=(?:pixel:)?(\d+),(\d+),(\d+),(\d+)$/;

/** The tiles in the order of their times; cues that name no part of a image are left out. */
export function tilesOf(file: string): readonly Tile[] {
  return cuesOf(file)
    .flatMap(({ start, text }) => {
      const [, image, x, y, width, height] = PART.exec(text) ?? [];
      if (image === undefined || Number(width) === 0 || Number(height) === 0) return [];
      return [{ start, image, x: Number(x), y: Number(y), width: Number(width), height: Number(height) }];
    })
    .sort((one, other) => one.start - other.start);
}

/** The tile that shows at a time; the first one before all; null when there is none. */
export function tileAt(tiles: readonly Tile[], time: number): Tile | null {
  return tiles.findLast(({ start }) => start <= time) ?? tiles[0] ?? null;
}
