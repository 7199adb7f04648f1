// Where no Matrix client is around: shows the message that signs this browser in, and waits until the viewer has sent it.
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, retryAfterOf } from '../api/http';
import type { BrowserSignIn, Code } from '../api/sign-in';
import { pauseBefore } from '../core/backoff';
import { Icon, PersonIcon } from './icons';
import { useText } from './text';
import { useVisit } from './visit';
import './style/sign-in.css';

/** Milliseconds between two looks at whether the code was sent. */
const LOOK = 2_000;
/** Milliseconds for which a copied message is said to be. */
const SAID = 4_000;

type PageError = 'offline' | 'server' | 'busy' | 'not-member';

interface Progress {
  readonly code: Code | null;
  /** It is not the first one: the one before was too old. */
  readonly renewed: boolean;
  readonly error: PageError | null;
  /** Milliseconds of the server's Retry-After. */
  readonly wait?: number;
}

const NOTHING: Progress = { code: null, renewed: false, error: null };

/** One look; what is known after it, or null once the browser is signed in. */
async function step(browser: BrowserSignIn, before: Progress): Promise<Progress | null> {
  const { code } = before;
  try {
    if (code === null || Date.now() >= code.expiresAt) return { code: await browser.ask(), renewed: before.renewed || code !== null, error: null };
    return (await browser.look(code)) ? null : { code, renewed: before.renewed, error: null };
  } catch (error) {
    const status = error instanceof ApiError ? error.status : 500;
    // Too old by the server's clock, or its sender has no right to watch: either way it is used up.
    if (status === 401 || status === 403) return { code: null, renewed: true, error: status === 403 ? 'not-member' : null };
    const retryAfter = retryAfterOf(error);
    if (retryAfter !== null) return { ...before, error: 'busy', wait: pauseBefore(0, Math.random(), retryAfter, LOOK) };
    return { code: before.code, renewed: before.renewed, error: status === 0 ? 'offline' : 'server' };
  }
}

function useSignIn(browser: BrowserSignIn | null, onSignedIn: () => void): Progress {
  const [progress, setProgress] = useState(NOTHING);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let stopped = false;
    let latest = NOTHING;
    const look = async (): Promise<void> => {
      if (browser === null || document.hidden) return;
      const next = await step(browser, latest);
      if (stopped) return;
      if (next === null) { onSignedIn(); return; }
      const fresh = next.code === null && next.error === null;
      setProgress((latest = next));
      timer = setTimeout(() => void look(), fresh ? 0 : Math.max(LOOK, next.wait ?? 0));
    };
    const wake = (): void => {
      clearTimeout(timer);
      void look();
    };
    document.addEventListener('visibilitychange', wake);
    wake();
    return () => {
      stopped = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', wake);
    };
  }, [browser]);
  return progress;
}

function Copy({ command, from }: { command: string; from: { readonly current: HTMLElement | null } }) {
  const t = useText();
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    const timer = copied ? setTimeout(() => setCopied(false), SAID) : undefined;
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(command);
      setCopied(true);
    } catch {
      // Not allowed, or not over https: it is ready to be copied by hand.
      if (from.current) getSelection()?.selectAllChildren(from.current);
    }
  };
  return (
    <button type="button" class="primary" data-testid="copy" onClick={() => void copy()}>
      <Icon><rect x="9" y="9" width="10.5" height="10.5" rx="2" /><path d="M15 5.5H6.5a2 2 0 0 0-2 2V16" /></Icon>
      <span aria-live="polite">{t(copied ? 'widget-sign-in-copied' : 'widget-sign-in-copy')}</span>
    </button>
  );
}

export function SignIn() {
  const t = useText();
  const visit = useVisit();
  const shown = useRef<HTMLElement>(null);
  const { code, renewed, error } = useSignIn(visit.browser, () => visit.retry());
  const state = error === null ? (code === null ? 'widget-loading' : renewed ? 'widget-sign-in-renewed' : 'widget-sign-in-waiting') : `widget-error-${error}`;
  return (
    <main class="app" data-testid="app" data-state="sign-in">
      <div class="notice sign-in" data-testid="sign-in">
        <span class="notice-icon" aria-hidden="true"><PersonIcon /></span>
        <h1 class="notice-title">{t('widget-sign-in')}</h1>
        <p class="notice-hint">{t('widget-sign-in-hint')}</p>
        <code class="sign-in-command" ref={shown} data-testid="command" aria-label={t('widget-sign-in-message')}>{code?.command ?? ''}</code>
        {code !== null && <Copy command={code.command} from={shown} />}
        <p class="sign-in-state" role="status" data-testid="sign-in-state" data-trouble={error ?? ''}>
          {error === null && <span class="sign-in-pulse" aria-hidden="true" />}
          {t(state)}
        </p>
      </div>
    </main>
  );
}
