// A part of the page whose code is fetched when it is first shown.
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { retryImport } from '../browser/retry-import';

/** Shows nothing, or `Waiting`, until the code is there; retries while it cannot be had. `early` loads it before it is shown. */
export function lazy<P extends object>(load: () => Promise<ComponentType<P>>, Waiting: ComponentType | null = null, early = false): ComponentType<P> {
  let loaded: ComponentType<P> | null = null;
  const fetched = async (): Promise<void> => {
    loaded = await retryImport(load);
  };
  let loading = early ? fetched() : null;
  return function Lazy(props: P) {
    const [, setReady] = useState(loaded !== null);
    useEffect(() => {
      if (loaded !== null) return;
      loading ??= fetched();
      void loading.then(() => setReady(true));
    }, []);
    const Part = loaded;
    return Part === null ? Waiting && <Waiting /> : <Part {...props} />;
  };
}
