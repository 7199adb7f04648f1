// The thumbnail of the time that somebody points at on the seek bar.
import { useEffect, useRef, useState } from 'preact/hooks';
import { clock } from '../core/format';
import { mediaName } from '../core/grant';
import { tileAt, tilesOf, type Tile } from '../core/storyboard';

interface PreviewProps {
  /** Null where there is none: then only the time shows. */
  storyboardUrl: string | null;
  /** Seconds within the video. */
  at: number;
  /** Seconds. */
  duration: number;
}

interface Board {
  readonly tiles: readonly Tile[];
  /** Kept, so that a newer grant is no reason to fetch it again. */
  readonly image: HTMLImageElement;
}

/** How many videos' sprite sheets are kept. */
const MEMORY = 8;
const boards = new Map<string, Promise<Board | null>>();

export function Preview({ storyboardUrl, at, duration }: PreviewProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [board, setBoard] = useState<Board | null>(null);
  const name = storyboardUrl === null ? null : mediaName(storyboardUrl);
  useEffect(() => {
    let wanted = true;
    setBoard(null);
    if (storyboardUrl !== null) void boardOf(storyboardUrl).then((found) => wanted && setBoard(found));
    return () => void (wanted = false);
  }, [name]);
  const tile = board === null ? null : tileAt(board.tiles, at);
  useEffect(() => {
    if (board === null || tile === null) return;
    const { x, y, width, height } = tile;
    canvas.current?.getContext('2d')?.drawImage(board.image, x, y, width, height, 0, 0, width, height);
  }, [board, tile]);
  return (
    <span class="preview" data-testid="preview" data-at={tile?.start} style={{ '--at': duration > 0 ? at / duration : 0 }} aria-hidden="true">
      {tile !== null && <canvas ref={canvas} width={tile.width} height={tile.height} class="preview-picture" />}
      <span class="preview-time">{clock(at)}</span>
    </span>
  );
}

function boardOf(url: string): Promise<Board | null> {
  const name = mediaName(url);
  const known = boards.get(name);
  if (known !== undefined) return known;
  const board = fetchBoard(url).catch(() => {
    // Fetched again, under a newer grant, when somebody points again.
    boards.delete(name);
    return null;
  });
  boards.set(name, board);
  for (const oldest of [...boards.keys()].slice(0, -MEMORY)) boards.delete(oldest);
  return board;
}

async function fetchBoard(url: string): Promise<Board | null> {
  const response = await fetch(url, { credentials: 'omit' });
  if (!response.ok) throw new Error(`Storyboard: ${response.status}`);
  const tiles = tilesOf(await response.text());
  const first = tiles[0];
  if (first === undefined) return null;
  const image = new Image();
  image.src = new URL(first.image, new URL(url, location.href)).href;
  await image.decode();
  // One image holds all tiles; those of another one are left out.
  return { tiles: tiles.filter((tile) => tile.image === first.image), image };
}
