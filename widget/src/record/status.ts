// What the button of the recording view hints at while the view is closed; its code may not be there yet.
import { Store } from '../core/store';
import type { RecordingStatus } from '../core/recording/status';

export const recordingStatus = new Store<RecordingStatus | null>(null);
