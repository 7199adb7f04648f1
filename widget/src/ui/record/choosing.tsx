// What to send: the camera, the screen, or a file; and what to do where one of them cannot be had.
import { useRef } from 'preact/hooks';
import type { Recording, Source } from '../../core/recording/model';
import type { Messenger } from '../../matrix/messenger';
import { canShareScreen, isTouched } from '../../record/devices';
import type { RecordingSession } from '../../record/session';
import { CameraIcon } from '../icons';
import { Several } from '../several';
import { useText } from '../text';
import { useStore } from '../use-store';
import { FileIcon, ScreenIcon } from './icons';

/** Problems with a file speak for themselves; the others offer one as the way out. */
const OF_FILES = ['not-a-video', 'empty', 'too-large', 'kept', 'permission'];

export function ProblemNote({ problem }: { problem: NonNullable<Recording['problem']> }) {
  const t = useText();
  return (
    <div class="record-problem" role="alert" data-testid="record-problem" data-problem={problem}>
      <p><strong>{t(`widget-record-problem-${problem}`)}</strong> {t(`widget-record-problem-${problem}-hint`)}</p>
      {!OF_FILES.includes(problem) && <p>{t('widget-record-way-out')}</p>}
    </div>
  );
}

/** Before anything is recorded, where the page loads anew for the client's question: a recording would be lost by that. */
export function Permit({ messenger, recording: { problem } }: { messenger: Messenger; recording: Recording }) {
  const t = useText();
  const asking = useStore(messenger.permissions.asking);
  const declined = useStore(messenger.permissions.declined).has('sendVideo');
  const several = useStore(messenger.hosts.several);
  const open = several === 'no' || several === 'once';
  const message = declined ? 'widget-record-declined' : 'widget-record-before';
  return (
    <div class="record-body choosing" data-testid="record-permit" data-declined={declined}>
      {problem !== null && <ProblemNote problem={problem} />}
      <Several messenger={messenger} className="record-problem" anyway />
      {open && <p class="record-hint" role="status">{t(asking ? 'widget-talk-asking' : message)}</p>}
      {open && !asking && <button type="button" class="primary" data-testid="record-ask" data-focus onClick={() => void messenger.permissions.ask('sendVideo')}>{t(declined ? 'widget-talk-ask' : 'widget-talk-continue')}</button>}
    </div>
  );
}

export function Choosing({ session, recording: { phase, problem } }: { session: RecordingSession; recording: Recording }) {
  const t = useText();
  const files = useRef<HTMLInputElement>(null);
  const opening = phase === 'opening';
  // Not disabled while the browser prompts: the focus would be lost.
  const open = (source: Source): void => {
    if (!opening) void session.open(source);
  };
  const choose = ({ currentTarget: input }: { currentTarget: HTMLInputElement }): void => {
    const file = input.files?.[0];
    if (file) session.take(file);
    // The same file may be chosen again.
    input.value = '';
  };
  return (
    <div class="record-body choosing">
      {problem !== null && <ProblemNote problem={problem} />}
      <div class="choices" aria-busy={opening}>
        <button type="button" class="choice" data-testid="record-camera" data-focus aria-disabled={opening} onClick={() => open('camera')}>
          <span class="choice-icon"><CameraIcon /></span>
          {t('widget-record-camera')}
        </button>
        {canShareScreen() && (
          <button type="button" class="choice" data-testid="record-screen" aria-disabled={opening} onClick={() => open('screen')}>
            <span class="choice-icon"><ScreenIcon /></span>
            {t('widget-record-screen')}
          </button>
        )}
        <button type="button" class="choice" data-testid="record-pick" aria-disabled={opening} onClick={() => files.current?.click()}>
          <span class="choice-icon"><FileIcon /></span>
          {t('widget-record-file')}
        </button>
        <input ref={files} class="unseen" type="file" accept="video/*,.mkv,.avi,.mov" tabIndex={-1} aria-hidden="true" data-testid="record-file" onChange={choose} />
      </div>
      <p class="record-hint">{t(opening ? 'widget-record-asking' : isTouched() ? 'widget-record-private' : 'widget-record-drop-hint')}</p>
    </div>
  );
}
