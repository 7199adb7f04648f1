// The dialogs before something is done: on publishing for the first time, on reporting; and an address to copy by hand.
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Entry } from '../../core/state';
import { titleFor } from '../names';
import { useText } from '../text';
import type { VideoActions, Question } from './video-actions';

export const LONGEST_REASON = 500;

interface DialogProps {
  title: string;
  testId: string;
  /** The word on the button that does it; none where there is nothing to do. */
  action?: string;
  onAction?: () => void;
  onClose: () => void;
  children: ComponentChildren;
}

function Dialog({ title, testId, action, onAction, onClose, children }: DialogProps) {
  const t = useText();
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    dialog.current?.showModal();
  }, []);
  const close = (): void => dialog.current?.close();
  return (
    <dialog ref={dialog} class="dialog" aria-labelledby="dialog-title" data-testid={testId} onClose={onClose} onKeyDown={(event) => event.stopPropagation()}>
      <form method="dialog" onSubmit={() => onAction?.()}>
        <h2 id="dialog-title">{title}</h2>
        {children}
        <div class="dialog-buttons">
          <button type="button" class="pill quiet" data-testid="cancel" onClick={close}>{t(action === undefined ? 'widget-close' : 'widget-cancel')}</button>
          {action !== undefined && <button type="submit" class="pill strong" data-testid="confirm">{action}</button>}
        </div>
      </form>
    </dialog>
  );
}

/** Selected whole, so that one key copies it. */
function AddressField({ address, onCopy }: { address: string; onCopy?: () => void }) {
  const t = useText();
  const field = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => field.current?.select(), []);
  return (
    <div class="address">
      <input ref={field} class="address-field" type="text" readOnly value={address} aria-label={t('widget-address')} data-testid="address" onFocus={(event) => event.currentTarget.select()} />
      {onCopy !== undefined && <button type="button" class="pill quiet" data-testid="copy" onClick={onCopy}>{t('widget-copy')}</button>}
    </div>
  );
}

interface AskProps {
  question: Question;
  /** The video of the question as the room knows it now; null when it is gone. */
  entry: Entry | null;
  actions: VideoActions;
}

export function Ask({ question, entry, actions }: AskProps) {
  const t = useText();
  const reason = useRef<HTMLTextAreaElement>(null);
  const close = (): void => actions.closeQuestion();
  switch (question.type) {
    case 'publish':
      return (
        <Dialog title={t('widget-publish-title', { title: titleFor(question.video, t) })} testId="publish-dialog" action={t('widget-publish')} onAction={() => entry && actions.publish(entry, true)} onClose={close}>
          <p>{t('widget-publish-hint')}</p>
          <AddressField address={question.address} onCopy={() => void navigator.clipboard.writeText(question.address).then(() => actions.notices.say({ id: 'widget-copied' }), () => undefined)} />
        </Dialog>
      );
    case 'report':
      return (
        <Dialog title={t('widget-report-title', { title: titleFor(question.video, t) })} testId="report-dialog" action={t('widget-report-send')} onAction={() => actions.report(question.video, reason.current?.value.trim() ?? '')} onClose={close}>
          <label class="reason">
            <span>{t('widget-report-hint')}</span>
            <textarea ref={reason} rows={3} maxLength={LONGEST_REASON} data-testid="reason" />
          </label>
        </Dialog>
      );
    case 'address':
      return (
        <Dialog title={t('widget-copy-by-hand')} testId="address-dialog" onClose={close}>
          <p>{t('widget-copy-by-hand-hint')}</p>
          <AddressField address={question.address} />
        </Dialog>
      );
  }
}
