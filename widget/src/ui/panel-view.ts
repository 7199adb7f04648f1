// Which view of the panel is open; parts of the page besides the panel open one, too.
import { Store } from '../core/store';
import { useStore } from './use-store';
import { useVisit } from './visit';

export type View = 'videos' | 'talk' | 'record';

export const panelView = new Store<View>('videos');

/** The viewer's client sends what they record or choose; it is asked when they do. */
export function useMayRecord(): boolean {
  const { settled, client } = useVisit();
  return useStore(settled) && client !== null;
}
