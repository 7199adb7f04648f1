// Which view of the panel is open; parts of the page besides the panel open one, too.
import { Store } from '../core/store';
import { useStore } from './use-store';
import { useVisit } from './visit';

export const VIEWS = ['videos', 'talk', 'record'] as const;
export type View = (typeof VIEWS)[number];

export const panelView = new Store<View>('videos');

/** The viewer's client sends what they record or choose; it is asked when they do. */
export function useMayRecord(): boolean {
  const { settled, client } = useVisit();
  return useStore(settled) && client !== null;
}
