// Whether thumbnails may move by themselves: not where the viewer, the battery, or the data plan would rather not.
import { Store } from '../core/store';

/** Below this share of a full battery that is not being charged, what only decorates stands still. */
const LOW = 0.2;

// Not in every browser, nor in TypeScript's library: https://www.w3.org/TR/battery-status/, https://wicg.github.io/savedata/
interface Battery extends EventTarget {
  readonly charging: boolean;
  readonly level: number;
}
interface Extras {
  readonly getBattery?: () => Promise<Battery>;
  readonly connection?: EventTarget & { readonly saveData?: boolean };
}

let shared: Store<boolean> | null = null;

/** True while they may move; one for the whole page. */
export function motion(): Store<boolean> {
  shared ??= watch();
  return shared;
}

function watch(): Store<boolean> {
  const { connection, getBattery } = navigator as Extras;
  const reduced = matchMedia('(prefers-reduced-motion: reduce)');
  let battery: Battery | null = null;
  const allowed = (): boolean => {
    const low = battery !== null && !battery.charging && battery.level <= LOW;
    return !reduced.matches && !document.hidden && connection?.saveData !== true && !low;
  };
  const store = new Store(allowed());
  const update = (): void => store.set(allowed());
  reduced.addEventListener('change', update);
  document.addEventListener('visibilitychange', update);
  connection?.addEventListener('change', update);
  // A frame of another site may not query it in every browser.
  void getBattery?.call(navigator).then((found) => {
    battery = found;
    for (const type of ['levelchange', 'chargingchange']) found.addEventListener(type, update);
    update();
  }, () => undefined);
  return store;
}
