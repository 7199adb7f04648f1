// Whether what is not the video may show: rendering it and fetching its images would delay the first frames.
import { useEffect, useState } from 'preact/hooks';

/** Milliseconds after the first frame at which it comes, and after which it waits for no frame. */
const AFTER_FRAME = 100;
const PATIENCE = 1_500;

/** `arrived`: the room is there; `awaited`: a frame is about to come; `plays`: it is there. Once shown, it stays. */
export function useRest(arrived: boolean, awaited: boolean, plays: boolean): boolean {
  const [rest, setRest] = useState(false);
  useEffect(() => {
    if (rest || !arrived) return;
    const timer = setTimeout(() => setRest(true), !awaited ? 0 : plays ? AFTER_FRAME : PATIENCE);
    return () => clearTimeout(timer);
  }, [rest, arrived, awaited, plays]);
  return rest || !awaited;
}
