// What the state of a recording means for the page around it.
import type { Recording } from './model';
import { isCut } from './trim';

/** True while there is something that must not go when the view is closed. */
export function isKept({ phase }: Recording): boolean {
  return phase === 'recording' || phase === 'paused' || phase === 'review' || phase === 'sending';
}

/** True when discarding would lose what cannot be had again: a recording, or somebody's words and cuts. */
export function wouldLose(state: Recording): boolean {
  if (!isKept(state) || state.take === null) return false;
  return state.take.source !== 'file' || state.caption.trim() !== '' || isCut(state);
}

/** What the closed view's button hints at. */
export type RecordingStatus = 'recording' | 'draft' | 'sending' | 'failed';

export function statusOf({ phase, failure }: Recording): RecordingStatus | null {
  if (phase === 'recording' || phase === 'paused') return 'recording';
  if (phase === 'review') return 'draft';
  if (phase !== 'sending') return null;
  return failure === null ? 'sending' : 'failed';
}

/** Percent of the present step; null while it is not known. */
export function percentOf({ step, percent, take, uploaded }: Recording): number | null {
  if (step !== 'upload') return percent;
  return take === null || take.size === 0 ? null : Math.min(100, (uploaded / take.size) * 100);
}

/** Bytes that a recorder may still write after its stop. */
const LAST_BYTES = 4_000_000;

/** True when a running recording has what the server takes at most. */
export function isFull({ take, limits }: Recording): boolean {
  if (take === null) return false;
  const long = limits.duration !== null && (take.duration ?? 0) >= limits.duration;
  return long || (limits.size !== null && take.size >= limits.size - LAST_BYTES);
}
