// In an encrypted room: who agreed that playable copies of its videos are kept, and the ways to agree, and to end it.
import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Method } from '../api/server';
import type { Encryption } from '../core/model';
import { fullDate } from './dates';
import { Icon } from './icons';
import { Notice } from './notice';
import { useLocales, useText } from './text';
import { useVisit } from './visit';
import './style/encryption.css';

const LockIcon = () => <Icon><rect x="5.5" y="10.5" width="13" height="9" rx="2.2" /><path d="M8.5 10.5V8a3.5 3.5 0 0 1 7 0v2.5M12 14.2v1.8" /></Icon>;

type Change = 'on' | 'off';

const METHODS: Readonly<Record<Change, Method>> = { on: 'PUT', off: 'DELETE' };

const QUESTIONS: Readonly<Record<Change, string>> = { on: 'widget-encryption-on-question', off: 'widget-encryption-off-question' };

/** The viewer changed it: what had the focus goes, and what comes in its place takes it. */
let focusComes = false;

/** Takes the focus, when it is due, once what is to have it is there or says something else. */
function useFocus<T extends HTMLElement>(find: (root: T) => HTMLElement | null, changes: unknown): { readonly current: T | null } {
  const root = useRef<T>(null);
  useLayoutEffect(() => {
    const target = focusComes && root.current !== null ? find(root.current) : null;
    if (target === null) return;
    focusComes = false;
    target.focus();
  }, [changes]);
  return root;
}

interface QuestionProps {
  change: Change;
  question: string;
  working: boolean;
  failed: boolean;
  onYes: () => void;
  onNo: () => void;
}

function Question({ change, question, working, failed, onYes, onNo }: QuestionProps) {
  const t = useText();
  const id = useId();
  const cancel = useRef<HTMLButtonElement>(null);
  // With the question itself: a key that comes soon after must not miss it.
  useLayoutEffect(() => cancel.current?.focus(), []);
  const onKeyDown = (event: KeyboardEvent): void => {
    event.stopPropagation();
    if (event.key === 'Escape') onNo();
  };
  return (
    <div class="agree" role="alertdialog" aria-labelledby={id} aria-busy={working} data-testid="encryption-question" onKeyDown={onKeyDown}>
      <p id={id}>{t(question)}</p>
      {failed && <p role="alert" class="agree-failed" data-testid="encryption-failed">{t('widget-encryption-failed')}</p>}
      <div class="agree-buttons">
        <button ref={cancel} type="button" class="pill" data-testid="encryption-cancel" onClick={onNo}>{t('widget-cancel')}</button>
        <button type="button" class="pill agree-yes" data-change={change} aria-disabled={working} data-testid="encryption-confirm" onClick={() => working || onYes()}>
          {t(change === 'on' ? 'widget-encryption-on-confirm' : 'widget-encryption-off-confirm')}
        </button>
      </div>
    </div>
  );
}

interface ChangingProps {
  change: Change;
  /** The message that asks; by default one that explains as well. */
  question?: string;
  className: string;
  children: ComponentChildren;
}

/** A button, and the question that takes its place. */
function Changing({ change, question = QUESTIONS[change], className, children }: ChangingProps) {
  const visit = useVisit();
  const [asking, setAsking] = useState(false);
  const [working, setWorking] = useState(false);
  const [failed, setFailed] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const close = (): void => {
    setAsking(false);
    setFailed(false);
    setTimeout(() => opener.current?.focus());
  };
  const act = async (): Promise<void> => {
    setWorking(true);
    setFailed(false);
    focusComes = true;
    try {
      await visit.server?.call(METHODS[change], visit.server.roomPath('/opt-in'));
      await visit.refresh();
      setAsking(false);
    } catch {
      focusComes = false;
      setFailed(true);
      // Perhaps the room is another by now.
      void visit.refresh();
    } finally {
      setWorking(false);
    }
  };
  if (asking) return <Question change={change} question={question} working={working} failed={failed} onYes={() => void act()} onNo={close} />;
  return <button ref={opener} type="button" class={className} data-testid={`encryption-${change}`} onClick={() => setAsking(true)}>{children}</button>;
}

/** In the place of the stage while nobody agreed, and nothing is there to be seen. */
export function Consent({ encryption: { available, mayOptIn } }: { encryption: Encryption }) {
  const t = useText();
  const section = useFocus<HTMLElement>((root) => root.querySelector('button'), null);
  return (
    <section ref={section} class="stage stage-empty" data-testid="empty" data-empty="consent">
      <Notice icon={<LockIcon />} title={t(available ? 'widget-encryption-title-off' : 'widget-encryption-title')} hint={t(available ? 'widget-encryption-hint' : 'widget-encryption-unserved')}>
        {available && !mayOptIn && <p class="notice-hint" data-testid="encryption-others">{t('widget-encryption-others')}</p>}
        {available && mayOptIn && <Changing change="on" question="widget-encryption-on-sure" className="primary">{t('widget-encryption-on')}</Changing>}
      </Notice>
    </section>
  );
}

function useWords({ optedInBy, optedInAt, available, mayOptIn }: Encryption): string {
  const t = useText();
  if (optedInAt === null) {
    if (!available) return t('widget-encryption-not-kept-unserved');
    return t(mayOptIn ? 'widget-encryption-not-kept' : 'widget-encryption-not-kept-others');
  }
  const at = new Date(optedInAt);
  if (optedInBy === null) return t('widget-encryption-kept-since', { at });
  // Anybody can call themselves as they like: the id says who it is.
  return t('widget-encryption-kept', { at, name: optedInBy });
}

/** Below the list: what is kept of an encrypted room, who agreed to that and when. */
export function EncryptionLine({ encryption }: { encryption: Encryption }) {
  const t = useText();
  const locales = useLocales();
  const words = useWords(encryption);
  const { optedInAt, optedInByName, available, mayOptIn } = encryption;
  const kept = optedInAt !== null;
  const title = kept ? [optedInByName, fullDate(optedInAt, locales)].filter((part) => part !== null).join(' · ') : undefined;
  const line = useFocus<HTMLElement>((root) => root, kept);
  return (
    <footer ref={line} class="encryption" tabIndex={-1} data-testid="encryption" data-kept={kept}>
      <span class="encryption-lock" aria-hidden="true"><LockIcon /></span>
      <p title={title}>{words}</p>
      {mayOptIn && (kept || available) && <Changing key={`${kept}`} change={kept ? 'off' : 'on'} className="encryption-change">{t(kept ? 'widget-encryption-off' : 'widget-encryption-on')}</Changing>}
    </footer>
  );
}
