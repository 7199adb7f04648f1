// How long to wait before the next try.

const FIRST = 1_000;
const LONGEST = 30_000;
/** Milliseconds for which a server is heeded 's Retry-After is heeded, at most. */
const HEEDED = 120_000;
/** The share by which such a wait is longer at most: whoever got the same does not return all at once. */
const SPREAD = 0.25;

/** Milliseconds before try number `attempt` (from 0): doubled each time, spread by `random` (0 to 1) so that viewers do not return all at once. */
export function backoff(attempt: number, random: number): number {
  const full = Math.min(LONGEST, FIRST * 2 ** attempt);
  return Math.round(full * (0.5 + random / 2));
}

/**
 * Milliseconds before try number `attempt`: the server's Retry-After (null where there is none), never less but for
 * a bound and hardly more; else `backoff`, at most `longest`.
 */
export function pauseBefore(attempt: number, random: number, retryAfter: number | null, longest = LONGEST): number {
  const own = Math.min(longest, backoff(attempt, random));
  return retryAfter === null ? own : Math.max(backoff(0, random), Math.round(Math.min(HEEDED, retryAfter) * (1 + random * SPREAD)));
}

/** Milliseconds of a `Retry-After` header (RFC 9110, 10.2.3: seconds, or a date); null where it says nothing we understand. */
export function parseRetryAfter(header: string | null, now: number): number | null {
  if (header === null) return null;
  const text = header.trim();
  // Of a number that is none of theirs, browsers make a date.
  const wait = /^\d+$/.test(text) ? Number(text) * 1_000 : /^[A-Z]/i.test(text) ? Date.parse(text) - now : NaN;
  return Number.isNaN(wait) ? null : Math.max(0, wait);
}
