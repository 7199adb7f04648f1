// How long to wait before the next try.

const FIRST = 1_000;
const LONGEST = 30_000;

/** Milliseconds before try number `attempt` (from 0): doubled each time, spread by `random` (0 to 1) so that viewers do not return all at once. */
export function backoff(attempt: number, random: number): number {
  const full = Math.min(LONGEST, FIRST * 2 ** attempt);
  return Math.round(full * (0.5 + random / 2));
}
