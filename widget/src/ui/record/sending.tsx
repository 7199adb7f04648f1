// On its way: how far it is, what failed and how to go on, and at last that it is there.
import { clock } from '../../core/format';
import type { Recording, Step } from '../../core/recording/model';
import { percentOf } from '../../core/recording/status';
import { isPlayable } from '../../core/model';
import { findEntry } from '../../core/state';
import type { RecordingSession } from '../../record/session';
import { CheckIcon, WarningIcon } from '../icons';
import { useText, type Translate } from '../text';
import { useStore } from '../use-store';
import { useVisit } from '../visit';
import { useConfirm } from './confirm';
import { Link } from './link';

const STEPS: readonly Step[] = ['upload', 'prepare', 'post'];

/** What failed, in words that the catalogue has for sure. */
export function failureText({ failure, limits }: Recording, t: Translate): string {
  if (failure === null) return '';
  if (failure.step !== 'prepare') return t(`widget-record-failed-${failure.code}`);
  const id = `failure-${failure.code}`;
  const text = t(id);
  if (text === id) return t('failure-internal');
  return failure.code === 'too-long' && limits.duration !== null ? `${text} ${t('widget-record-longest-edit', { length: clock(limits.duration) })}` : text;
}

function StepRow({ step, recording }: { step: Step; recording: Recording }) {
  const t = useText();
  const now = STEPS.indexOf(recording.step);
  const place = STEPS.indexOf(step);
  const state = place < now ? 'done' : place > now ? 'waiting' : recording.failure === null ? 'running' : 'failed';
  const percent = state === 'running' ? percentOf(recording) : null;
  const label = t(`widget-record-step-${step}`);
  const value = percent === null ? {} : { 'aria-valuenow': Math.floor(percent), style: { '--share': percent / 100 } };
  return (
    <li class="step" data-testid={`record-step-${step}`} data-state={state}>
      <span class="step-icon" aria-hidden="true">{state === 'done' && <CheckIcon />}{state === 'failed' && <WarningIcon />}</span>
      <span class="step-label">{label}{state === 'done' && <span class="unseen"> {t('widget-record-done')}</span>}</span>
      {percent !== null && <span class="step-percent" aria-hidden="true">{t('widget-progress-percent', { percent: Math.floor(percent) })}</span>}
      {state === 'running' && <span class="progress" role="progressbar" aria-label={label} aria-valuemin={0} aria-valuemax={100} data-known={percent !== null} {...value} />}
    </li>
  );
}

export function Sending({ session, recording }: { session: RecordingSession; recording: Recording }) {
  const t = useText();
  const [confirm, askDiscard] = useConfirm(() => session.discard());
  const url = useStore(session.preview);
  const failed = recording.failure !== null;
  return (
    <div class="record-body sending">
      <ol class="steps">{STEPS.map((step) => <StepRow key={step} step={step} recording={recording} />)}</ol>
      {failed ? <p class="record-problem" role="alert" data-testid="record-failed" data-step={recording.step}>{failureText(recording, t)}</p> : !recording.lost && <p class="record-hint">{t('widget-record-sending-hint')}</p>}
      <Link recording={recording} />
      {confirm ?? (
        <div class="review-actions">
          <button type="button" class="pill" data-testid="record-discard" onClick={askDiscard}>{t('widget-record-discard')}</button>
          <button type="button" class="pill" data-testid="record-edit" data-focus={failed ? undefined : true} onClick={() => session.edit()}>{t('widget-record-edit')}</button>
          {failed && url !== null && <a class="pill" data-testid="record-save" href={url} download={recording.take?.name}>{t('widget-record-save')}</a>}
          {failed && <button type="button" class="primary" data-testid="record-retry" onClick={() => void session.send()}>{t('widget-retry')}</button>}
        </div>
      )}
    </div>
  );
}

export function Sent({ session, recording, onClose }: { session: RecordingSession; recording: Recording; onClose: () => void }) {
  const t = useText();
  const visit = useVisit();
  const { room } = useStore(visit.state);
  const entry = findEntry(room, ({ eventId }) => eventId === recording.eventId);
  const ready = entry !== null && isPlayable(entry.video);
  const watch = (): void => {
    if (entry === null) return;
    visit.select(entry.owner.userId);
    visit.pick(entry);
    onClose();
  };
  return (
    <div class="record-body sent" data-testid="record-sent" data-event-id={recording.eventId ?? ''} data-ready={ready}>
      <span class="sent-icon" aria-hidden="true"><CheckIcon /></span>
      <p class="record-hint">{t(ready ? 'widget-record-sent-ready' : 'widget-record-sent-hint')}</p>
      {recording.audioLeftOut !== null && <p class="record-hint" data-testid="record-audio">{t(`audio-${recording.audioLeftOut}`)}</p>}
      <div class="review-actions">
        <button type="button" class="pill" data-testid="record-again" onClick={() => session.discard()}>{t('widget-record-again')}</button>
        {ready ? <button type="button" class="primary" data-testid="record-watch" onClick={watch}>{t('widget-record-watch')}</button>
          : <button type="button" class="primary" data-testid="record-done" data-focus onClick={onClose}>{t('widget-record-finished')}</button>}
      </div>
    </div>
  );
}
