// Where a reply is written. Enter sends, Shift+Enter begins a new line; what could not be sent stays.
import { useEffect, useState } from 'preact/hooks';
import { notSentBecause, type NotSent } from '../../talk/news';
import { ByBot } from '../by-bot';
import { SendIcon } from '../icons';
import { useText } from '../text';
import type { Access } from './use-talk';

/** UTF-16 units: far below what a homeserver takes for an event (64 KiB); and what our server sends for the viewer. */
const LONGEST = 10_000;
const LONGEST_ON_BEHALF = 4_000;

interface ComposerProps {
  access: Access;
  eventId: string;
  title: string;
  /** Hears true while something is being written, so that the video that it is about does not change meanwhile. */
  onHold: (hold: boolean) => void;
}

export function Composer({ access: { messenger, session, granted }, eventId, title, onHold }: ComposerProps) {
  const t = useText();
  const [text, setText] = useState(session.drafts.get(eventId) ?? '');
  const [inside, setInside] = useState(false);
  const [state, setState] = useState<'writing' | 'sending' | 'failed'>('writing');
  const [why, setWhy] = useState<NotSent>(null);
  const empty = text.trim() === '';
  useEffect(() => onHold(inside || !empty), [inside, empty]);
  useEffect(() => () => onHold(false), []);
  const write = (value: string): void => {
    setText(value);
    if (value === '') session.drafts.delete(eventId);
    else session.drafts.set(eventId, value);
  };

  const send = async (): Promise<void> => {
    if (empty || state === 'sending') return;
    setState('sending');
    try {
      // What was written stays for when they allow it.
      if (!(await messenger.permissions.ask('sendText'))) { setState('writing'); return; }
      await session.reply(eventId, text.trim());
      write('');
      setState('writing');
    } catch (error) {
      setWhy(notSentBecause(error));
      setState('failed');
    }
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    // While a word is being composed, Enter takes the word.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    void send();
  };
  return (
    <form
      class="composer"
      data-testid="composer"
      data-state={state}
      onSubmit={(event) => { event.preventDefault(); void send(); }}
      onFocusCapture={() => setInside(true)}
      onBlurCapture={() => setInside(false)}
    >
      {!granted.has('sendText') && !empty && <p class="composer-note" data-testid="will-ask">{t('widget-talk-will-ask-send')}</p>}
      {state === 'failed' && <p class="composer-failed" role="alert">{t(why === null ? 'widget-talk-reply-failed' : `widget-talk-reply-${why}`)}</p>}
      <ByBot messenger={messenger} className="composer-note" />
      <div class="composer-row">
        <textarea
          class="composer-text"
          dir="auto"
          rows={1}
          maxLength={messenger.onBehalf ? LONGEST_ON_BEHALF : LONGEST}
          aria-label={t('widget-talk-write', { title })}
          placeholder={t('widget-talk-placeholder')}
          data-testid="reply-text"
          value={text}
          readOnly={state === 'sending'}
          onInput={({ currentTarget: { value } }) => write(value)}
          onKeyDown={onKeyDown}
        />
        <button type="submit" class="icon-button composer-send" aria-label={t(state === 'failed' ? 'widget-retry' : 'widget-talk-send')} title={t(state === 'failed' ? 'widget-retry' : 'widget-talk-send')} data-testid="reply-send" disabled={empty || state === 'sending'}>
          <SendIcon />
        </button>
      </div>
    </form>
  );
}
