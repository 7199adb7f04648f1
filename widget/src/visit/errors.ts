// What a failed call means for the page.
import { ApiError, retryAfterOf } from '../api/http';
import type { PageError } from '../core/state';
import { ClientError } from '../matrix/client';

/** While it is retried. */
export function transientErrorOf(error: unknown): PageError {
  if (retryAfterOf(error) !== null) return 'busy';
  return error instanceof ApiError && error.status > 0 ? 'server' : 'offline';
}

/** When nothing more will come. */
export function finalErrorOf(error: unknown): PageError {
  if (error instanceof ClientError) return error.code;
  if (!(error instanceof ApiError)) return 'server';
  if (error.status === 401) return 'identity';
  return error.status === 403 || error.status === 404 ? 'not-member' : 'server';
}
