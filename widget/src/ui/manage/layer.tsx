// What managing shows over the list: the menu of a row, questions, and what was done, with a way back.
import { useEffect, useRef, useState } from 'preact/hooks';
import { findEntry, type Entry } from '../../core/state';
import { useText } from '../text';
import { useStore } from '../use-store';
import { useVisit } from '../visit';
import { textOf, type Toast } from './notices';
import { actionsOf, closeMenu, type VideoActions } from './video-actions';
import { menuOf, reviewing } from './list-state';
import { Ask } from './dialogs';
import { Menu } from './menu';
import { Queue } from './queue';
import { Review } from './review';
import './manage.css';

function ToastBar({ toast, actions }: { toast: Toast; actions: VideoActions }) {
  const t = useText();
  const [held, setHeld] = useState(false);
  const { id, kind, until, undo, address } = toast;
  useEffect(() => {
    // Words wait for whoever is at them; what can be undone only as long as the server waits.
    if (held && kind !== 'deleted') return undefined;
    const timer = setTimeout(() => actions.notices.close(id), Math.max(0, until - Date.now()));
    return () => clearTimeout(timer);
  }, [held, until]);
  const then = (act: () => void) => () => {
    actions.notices.close(id);
    act();
  };
  return (
    <div class="toast" data-testid="toast" data-kind={kind} onPointerEnter={() => setHeld(true)} onPointerLeave={() => setHeld(false)} onFocusIn={() => setHeld(true)} onFocusOut={() => setHeld(false)}>
      <p>{textOf(toast.message, t)}</p>
      {undo !== undefined && <button type="button" class="pill toast-button" aria-keyshortcuts="Control+Z" data-testid="undo" onClick={then(undo)}>{t('widget-undo')}</button>}
      {address !== undefined && <button type="button" class="pill toast-button" data-testid="copy-address" onClick={then(() => void actions.copy(address))}>{t('widget-copy')}</button>}
    </div>
  );
}

/** Says that something is not saved yet, as long as that is so. */
function Unsaved({ actions }: { actions: VideoActions }) {
  const t = useText();
  if (!useStore(actions.queue.unsaved)) return null;
  return (
    <div class="toast" role="status" data-testid="unsaved">
      <p>{t('widget-unsaved')}</p>
      <button type="button" class="pill toast-button" data-testid="save-now" onClick={() => actions.queue.retry()}>{t('widget-retry')}</button>
    </div>
  );
}

export function ManageLayer() {
  const t = useText();
  const visit = useVisit();
  const actions = useRef(actionsOf(visit)).current;
  const state = useStore(visit.state);
  const menu = useStore(menuOf);
  const question = useStore(actions.question);
  const toasts = useStore(actions.notices.toasts);
  const status = useStore(actions.notices.status);
  const entryOf = (videoId: string | undefined): Entry | null => findEntry(state.room, ({ id }) => id === videoId);
  const entry = entryOf(menu?.videoId);
  const review = useStore(reviewing);
  const reviewed = entryOf(review?.videoId);
  const last = useRef<Entry | null>(null);
  if (reviewed !== null) last.current = reviewed;
  useEffect(() => {
    const undo = (event: KeyboardEvent): void => {
      const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
      if (event.key.toLowerCase() !== 'z' || !(event.ctrlKey || event.metaKey) || event.shiftKey || typing) return;
      if (actions.notices.undoLatest()) event.preventDefault();
    };
    document.addEventListener('keydown', undo);
    return () => document.removeEventListener('keydown', undo);
  }, []);
  useEffect(() => {
    if (menu !== null && entry === null) closeMenu();
  }, [menu, entry === null]);
  useEffect(() => {
    // Somebody else took it away.
    if (review !== null && reviewed === null) actions.reviewEnded(last.current?.video ?? null);
  }, [review, reviewed === null]);
  return (
    <>
      {menu !== null && entry !== null && <Menu key={menu.videoId} entry={entry} at={menu.at} actions={actions} />}
      {question !== null && <Ask question={question} entry={entryOf(question.video?.id)} actions={actions} />}
      {review !== null && reviewed !== null && <Review key={review.videoId} entry={reviewed} first={review.step} actions={actions} />}
      <Queue state={state} />
      <div class="toasts">
        <Unsaved actions={actions} />
        {toasts.map((toast) => <ToastBar key={toast.id} toast={toast} actions={actions} />)}
      </div>
      <p class="unseen" role="status">{status && textOf(status, t)}</p>
    </>
  );
}
