// The shape for the player's place. It follows what plays, but nothing moves while somebody scrolls.
import { useEffect, useRef, useState } from 'preact/hooks';

/** Milliseconds after the last movement of a finger or a wheel. */
const STEADY = 2_500;

/** Width over height; null until one is known. `wanted`: that of what plays, null where that is not known. */
export function useAspect(wanted: number | null): number | null {
  const [aspect, setAspect] = useState(wanted);
  const moved = useRef(-Infinity);
  useEffect(() => {
    const move = (): void => { moved.current = performance.now(); };
    const signs = ['touchmove', 'wheel'] as const;
    for (const sign of signs) window.addEventListener(sign, move, { passive: true });
    return () => { for (const sign of signs) window.removeEventListener(sign, move); };
  }, []);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const settle = (): void => {
      const wait = moved.current + STEADY - performance.now();
      if (wait > 0) timer = setTimeout(settle, wait);
      else if (wanted !== null) setAspect(wanted);
    };
    settle();
    return () => clearTimeout(timer);
  }, [wanted]);
  return aspect;
}
