// The widget's frame and our half of the widget API, both for one address.
import { ClientWidgetApi, type Widget } from 'matrix-widget-api';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { DemoDriver } from '../matrix/driver';
import { StoredDecisions } from '../matrix/prompts';
import { Threads } from '../matrix/threads';
import type { Language, Settings } from '../settings';
import type { Visit } from '../visit';

// What Element Web gives its widgets.
const ALLOW = 'microphone; camera; encrypted-media; autoplay; display-capture; clipboard-read; clipboard-write; fullscreen';
const SANDBOX = 'allow-forms allow-popups allow-popups-to-escape-sandbox allow-same-origin allow-scripts allow-presentation allow-downloads';

/** Milliseconds without a response after which the viewer may load the frame again. */
const PATIENCE = 12_000;

/** How often a widget has been ready on this page. */
let readies = 0;

export type Policy = Pick<Settings, 'refusal' | 'permissions' | 'hosts'>;

interface WidgetFrameProps {
  readonly widget: Widget;
  readonly url: string;
  readonly visit: Visit;
  /** What the client calls it. */
  readonly theme: string;
  readonly language: Language;
  readonly policy: Policy;
  /** With each change the frame is loaded again. */
  readonly loads: number;
  /** With each change one more host is started for the frame, which is loaded again. */
  readonly host: number;
  /** Called with false when the widget does not respond, and with true when it is ready after all. */
  readonly onResponding: (responds: boolean) => void;
  /** Called with whether the widget wants to stay on the screen in other rooms. */
  readonly onFloat: (floats: boolean) => void;
}

export function WidgetFrame({ widget, url, visit, theme, language, policy, loads, host, onResponding, onFloat }: WidgetFrameProps) {
  const frame = useRef<HTMLIFrameElement>(null);
  const [api, setApi] = useState<ClientWidgetApi | null>(null);
  // What the widget was last notified of; at first what is in its address.
  const sent = useRef({ theme, language });

  // Before the frame can have loaded, or its first message would be missed.
  useLayoutEffect(() => {
    if (frame.current === null) return undefined;
    const permissions = policy.permissions === 'ask' ? { prompts: visit.prompts, stored: new StoredDecisions(widget.id) } : null;
    const driver = new DemoDriver(visit.client, policy.refusal, permissions);
    const started = new ClientWidgetApi(widget, frame.current, driver);
    started.setViewedRoomId(visit.roomId);
    const threads = new Threads();
    const stopFeeding = visit.onEvent((event) => {
      if (threads.holds(event)) return;
      started.feedEvent(driver.roomEvent(event)).catch((error: unknown) => console.warn('The widget did not take an event:', error));
    });
    const timer = setTimeout(() => onResponding(false), PATIENCE);
    started.on('ready', () => {
      clearTimeout(timer);
      onResponding(true);
      setApi(started);
      readies += 1;
      document.body.dataset.ready = String(readies);
    });
    started.on('error:preparing', (error: unknown) => {
      console.error('The widget does not respond:', error);
      onResponding(false);
    });
    started.on('action:set_always_on_screen', (event: CustomEvent<{ data: { value: boolean } }>) => {
      if (!started.hasCapability('m.always_on_screen')) return;
      event.preventDefault();
      onFloat(event.detail.data.value);
      started.transport.reply(event.detail as never, { success: true } as never);
    });
    if (host > 0) frame.current.src = url;
    return () => {
      clearTimeout(timer);
      stopFeeding();
      // The others keep listening to the widget.
      if (policy.hosts === 'stop') started.stop();
      else started.removeAllListeners();
      // Only the latest one handles the handshake.
      started.on('action:content_loaded', (event: Event) => event.preventDefault());
      onFloat(false);
      delete document.body.dataset.ready;
    };
  }, [host]);

  useEffect(() => {
    if (loads === 0 || frame.current === null) return;
    delete document.body.dataset.ready;
    frame.current.src = url;
  }, [loads]);

  useEffect(() => {
    if (api === null || sent.current.theme === theme) return;
    sent.current.theme = theme;
    api.updateTheme({ name: theme }).catch((error: unknown) => console.warn('The widget did not take the theme:', error));
  }, [api, theme]);

  useEffect(() => {
    if (api === null || sent.current.language === language) return;
    sent.current.language = language;
    api.updateLanguage(language).catch((error: unknown) => console.warn('The widget did not take the language:', error));
  }, [api, language]);

  return <iframe class="frame" data-testid="widget" title={widget.name ?? 'Widget'} src={url} allow={ALLOW} sandbox={SANDBOX} ref={frame} />;
}
