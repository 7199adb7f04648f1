// Has the viewer confirm that something is lost.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { useText } from '../text';

function Question({ onYes, onNo }: { onYes: () => void; onNo: () => void }) {
  const t = useText();
  const keep = useRef<HTMLButtonElement>(null);
  useEffect(() => keep.current?.focus(), []);
  return (
    <div class="confirm" role="alertdialog" aria-labelledby="record-question" data-testid="record-confirm">
      <p id="record-question">{t('widget-record-discard-question')}</p>
      <span class="confirm-buttons">
        <button ref={keep} type="button" class="pill" data-testid="record-keep" onClick={onNo}>{t('widget-record-keep')}</button>
        <button type="button" class="pill danger" data-testid="record-confirm-discard" onClick={onYes}>{t('widget-record-discard')}</button>
      </span>
    </div>
  );
}

/** The question while it is open (null otherwise), and the way to open it. */
export function useConfirm(act: () => void): readonly [JSX.Element | null, () => void] {
  const [asking, setAsking] = useState(false);
  const before = useRef<HTMLElement | null>(null);
  const ask = (): void => {
    before.current = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    setAsking(true);
  };
  const keep = (): void => {
    setAsking(false);
    const test = before.current?.dataset.testid;
    // The buttons are new ones when they return.
    setTimeout(() => document.querySelector<HTMLElement>(`[data-testid="${test ?? ''}"]`)?.focus());
  };
  return [asking ? <Question onYes={act} onNo={keep} /> : null, ask];
}
