// Reports when nobody has touched the player for a while, so that the controls may step aside.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';

/** Milliseconds. */
const PATIENCE = 2_800;

/** `touch` begins the wait anew; `rest` ends it at once. */
export function useIdle(): { idle: boolean; touch: () => void; rest: () => void } {
  const [idle, setIdle] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const rest = useCallback(() => setIdle(true), []);
  const touch = useCallback(() => {
    clearTimeout(timer.current);
    setIdle(false);
    timer.current = setTimeout(rest, PATIENCE);
  }, [rest]);
  useEffect(() => {
    touch();
    return () => clearTimeout(timer.current);
  }, [touch]);
  return { idle, touch, rest };
}
