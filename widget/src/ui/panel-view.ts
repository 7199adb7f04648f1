// The panel's views besides the list: which of them the viewer may open, and what each is given.
import { takesVideos } from '../core/model';
import { recordingStatus } from '../record/status';
import type { Entry } from '../core/state';
import type { View } from '../visit/panel-view';
import { useStore } from './use-store';
import { useVisit } from './visit';

/** What a view besides the list gets. */
export interface ViewProps {
  readonly entry: Entry | null;
  /** Back to the list. */
  readonly onClose: () => void;
}

/** What the viewer may open beside the list. Where there is a client, it is requested when they send something; without one the server has said it. */
export function useOthers(): readonly View[] {
  const { settled, messenger, state } = useVisit();
  const can = useStore(state, ({ room }) => room?.can ?? null);
  const taken = useStore(state, ({ room }) => room !== null && takesVideos(room));
  // Videos were turned off meanwhile: the way back to one that is not sent yet stays.
  const begun = useStore(recordingStatus) !== null;
  if (!useStore(settled) || messenger === null) return [];
  return !(taken || begun) || (messenger.onBehalf && can?.has('send') !== true) ? ['talk'] : ['talk', 'record'];
}
