// Which view of the panel is open; parts of the page besides the panel open one, too.
import { Store } from '../core/store';

export const VIEWS = ['videos', 'talk', 'record'] as const;
export type View = (typeof VIEWS)[number];

export const panelView = new Store<View>('videos');
