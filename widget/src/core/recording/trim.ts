// Which part of a take is kept, within what the server takes. Seconds.
import type { Limits, Recording, Trim } from './model';

/** Seconds that a trimmed video lasts at least. */
export const SHORTEST = 0.5;

/** As much of a part, from its beginning on, as the server takes. */
export function shortened({ start, end }: Trim, { duration }: Limits): Trim {
  return { start, end: Math.min(end, start + (duration ?? Infinity)) };
}

/** True for what plays longer than the server takes: a part of it can be sent. */
export function isTooLong({ take, limits }: Recording): boolean {
  return limits.duration !== null && (take?.duration ?? 0) > limits.duration;
}

/** Moves an end; the other one comes along where the part would be too long. */
export function trimmed({ take, trim, limits }: Recording, edge: keyof Trim, at: number): Trim | null {
  const duration = take?.duration ?? null;
  if (trim === null || duration === null || !Number.isFinite(at)) return trim;
  const least = Math.min(SHORTEST, duration);
  const most = limits.duration ?? Infinity;
  if (edge === 'start') {
    const start = Math.max(0, Math.min(at, trim.end - least));
    return shortened({ ...trim, start }, limits);
  }
  const end = Math.min(duration, Math.max(at, trim.start + least));
  return { start: Math.max(trim.start, end - most), end };
}

/** Seconds of slack within which an end counts as untouched: sliders move in steps. */
const SLACK = 0.05;

/** Seconds by which a recorder's clock and the file that it writes may differ. */
const DRIFT = 1;

/** True for what somebody cut themselves, beyond what the limit requires. */
export function isCut({ take, trim, limits }: Recording): boolean {
  if (trim === null || take?.duration == null) return false;
  return trim.start > SLACK || trim.end < shortened({ start: 0, end: take.duration }, limits).end - SLACK;
}

/** The part to keep as the server takes it; null when all of it is. */
export function partOf({ take, trim, limits }: Recording): Partial<Trim> | null {
  if (trim === null || take?.duration == null) return null;
  // Close to the limit the end is sent in any case: by the server's measure there may be more.
  const bound = (limits.duration ?? Infinity) - (take.source === 'file' ? 0 : DRIFT);
  const start = trim.start > SLACK ? { start: trim.start } : {};
  const end = trim.end < take.duration - SLACK || take.duration > bound ? { end: trim.end } : {};
  const part = { ...start, ...end };
  return Object.keys(part).length === 0 ? null : part;
}

/** What the server is to do with the upload: a file that is sent as it is need not be converted, a recording is for browsers alone. */
export function conversionOf(state: Recording): Partial<Trim> & { readonly convert: boolean } {
  const part = partOf(state);
  return { ...part, convert: part !== null || state.take?.source !== 'file' };
}
