// A blurred stand-in for an image that is being loaded.
import { useEffect, useRef } from 'preact/hooks';

/** Pixels: a hash holds no more detail than this, and the browser smooths the rest. */
const [WIDTH, HEIGHT] = [32, 18];

/** Milliseconds before it is painted: most images are there by then, or were scrolled out of sight again. */
const PATIENCE = 60;

export function Blur({ hash, className }: { hash: string; className: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const timer = setTimeout(() => void paint(canvas, hash), PATIENCE);
    return () => clearTimeout(timer);
  }, [hash]);
  return <canvas ref={canvas} class={className} width={WIDTH} height={HEIGHT} aria-hidden="true" />;
}

async function paint(canvas: { readonly current: HTMLCanvasElement | null }, hash: string): Promise<void> {
  // Most images are there before their stand-in is needed: the decoder is loaded when the first one is not.
  const decoder = await import('fast-blurhash').catch(() => null);
  if (decoder === null) return;
  const pixels = new ImageData(WIDTH, HEIGHT);
  pixels.data.set(decoder.decodeBlurHash(hash, WIDTH, HEIGHT));
  canvas.current?.getContext('2d')?.putImageData(pixels, 0, 0);
}
