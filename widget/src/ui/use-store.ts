// Renders a component again when a store's value, or what is selected of it, has changed.
import { useEffect, useState } from 'preact/hooks';
import type { Store } from '../core/store';

export function useStore<T>(store: Store<T>): T;
export function useStore<T, S>(store: Store<T>, select: (value: T) => S): S;
export function useStore<T, S>(store: Store<T>, select?: (value: T) => S): T | S {
  const read = (): T | S => (select === undefined ? store.get() : select(store.get()));
  const [value, setValue] = useState(read);
  useEffect(() => {
    // It may have changed between rendering and now.
    setValue(read);
    return store.subscribe(() => setValue(read));
  }, [store]);
  return value;
}
