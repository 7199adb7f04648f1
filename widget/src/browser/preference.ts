// A viewer's preferences in the browser's storage, where it lets a frame have one.
import { Store } from '../core/store';

/** A choice of `values`, the first one until something else was chosen; without storage it holds for this visit. */
export function preference<T extends string>(name: string, values: readonly [T, ...T[]]): Store<T> {
  const store = new Store(read(name, values));
  store.subscribe(() => {
    try {
      localStorage.setItem(name, store.get());
    } catch {
      // A third-party frame without storage.
    }
  });
  return store;
}

function read<T extends string>(name: string, values: readonly [T, ...T[]]): T {
  try {
    const kept = localStorage.getItem(name);
    return values.find((value) => value === kept) ?? values[0];
  } catch {
    return values[0];
  }
}
