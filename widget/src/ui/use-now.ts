// The time, for what is said to have been a while ago.
import { useEffect, useState } from 'preact/hooks';

/** Milliseconds between two looks at the clock. */
const TICK = 30_000;

/** Milliseconds since the epoch, of half a minute ago at most. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK);
    return () => clearInterval(timer);
  }, []);
  // What was said just now is not in the future.
  return Math.max(now, Date.now() - TICK);
}
