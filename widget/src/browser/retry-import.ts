// Loads code when it is needed, and retries until it is there.
import { backoff } from '../core/backoff';
import { sleep } from './pause';

/** Resolves with what `load` does, which is called again while it rejects. */
export async function retryImport<T>(load: () => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await load();
    } catch {
      await sleep(backoff(attempt, Math.random()));
    }
  }
}
