// Which view of the panel is open; parts of the page besides the panel open one, too.
import { Store } from '../core/store';
import { useStore } from './use-store';
import { useVisit } from './visit';

export const VIEWS = ['videos', 'talk', 'record'] as const;
export type View = (typeof VIEWS)[number];

export const panelView = new Store<View>('videos');

/** What the viewer may open beside the list. Their client, where there is one, is asked about what they send when they do; without one the server has said it. */
export function useOthers(): readonly View[] {
  const { settled, messenger, state } = useVisit();
  const can = useStore(state, ({ room }) => room?.can ?? null);
  if (!useStore(settled) || messenger === null) return [];
  return messenger.onBehalf && can?.has('send') !== true ? ['talk'] : ['talk', 'record'];
}
