// The recording view: over the whole widget, because a video wants room and nothing else plays meanwhile.
import { useEffect, useRef } from 'preact/hooks';
import { wouldLose } from '../../core/recording/status';
import { Store } from '../../core/store';
import type { Permission } from '../../matrix/capabilities';
import { recordingSessionOf } from '../../record/session';
import type { ViewProps } from '../panel-view';
import { useText } from '../text';
import { useStore } from '../use-store';
import { useVisit } from '../visit';
import { Announcer } from './announcer';
import { Choosing, Permit } from './choosing';
import { CloseIcon } from '../icons';
import { Camera } from './camera';
import { Review } from './review';
import { Sending, Sent } from './sending';
import './record.css';

const TITLES = { choosing: 'widget-record', live: 'widget-record-ready', review: 'widget-record-review', sending: 'widget-record-sending', sent: 'widget-record-sent-title' } as const;

const NOTHING = new Store<ReadonlySet<Permission>>(new Set());

function groupOf(phase: string): keyof typeof TITLES {
  if (phase === 'choosing' || phase === 'opening') return 'choosing';
  return phase === 'review' || phase === 'sending' || phase === 'sent' ? phase : 'live';
}

export function RecordView({ onClose }: ViewProps) {
  const t = useText();
  const visit = useVisit();
  const { messenger } = visit;
  const session = recordingSessionOf(visit);
  const recording = useStore(session.state);
  useStore(messenger?.permissions.granted ?? NOTHING);
  const dialog = useRef<HTMLDialogElement>(null);
  const group = groupOf(recording.phase);
  const permit = messenger !== null && group === 'choosing' && session.needsPermission;

  // Modal: what lies under it takes no focus; the browser gives the focus back at the end.
  useEffect(() => {
    const element = dialog.current;
    element?.showModal();
    return () => {
      element?.close();
      // The page may take it away without a word: a camera that nobody sees is let go.
      session.close();
    };
  }, []);
  useEffect(() => {
    const wanted = dialog.current?.querySelector<HTMLElement>('[data-focus]');
    wanted?.focus({ preventScroll: true });
  }, [group, permit, recording.phase === 'counting']);

  const close = (): void => {
    session.close();
    dialog.current?.close();
    onClose();
  };
  // Escape takes one step back: of the countdown first.
  const cancel = (event: Event): void => {
    event.preventDefault();
    if (recording.phase === 'counting') session.hold();
    else close();
  };

  return (
    <dialog ref={dialog} class="record" aria-labelledby="record-title" data-testid="record-view" data-phase={recording.phase} data-group={group} data-kept={wouldLose(recording)} onCancel={cancel}>
      <header class="record-head">
        <h2 id="record-title">{t(TITLES[group])}</h2>
        <button type="button" class="icon-button" aria-label={t('widget-record-close')} title={t('widget-record-close')} data-testid="record-close" onClick={close}><CloseIcon /></button>
      </header>
      {permit && <Permit messenger={messenger} recording={recording} />}
      {group === 'choosing' && !permit && <Choosing session={session} recording={recording} />}
      {group === 'live' && <Camera session={session} recording={recording} />}
      {group === 'review' && <Review session={session} recording={recording} />}
      {group === 'sending' && <Sending session={session} recording={recording} />}
      {group === 'sent' && <Sent session={session} recording={recording} onClose={close} />}
      <Announcer recording={recording} />
    </dialog>
  );
}
