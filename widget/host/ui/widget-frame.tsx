// The widget's frame and our half of the widget API, both for one address.
import { ClientWidgetApi, type Widget } from 'matrix-widget-api';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { DemoDriver } from '../matrix/driver';
import type { Language, Refusal } from '../settings';
import type { Visit } from '../visit';

// What Element Web gives its widgets.
const ALLOW = 'microphone; camera; encrypted-media; autoplay; display-capture; clipboard-read; clipboard-write; fullscreen';
const SANDBOX = 'allow-forms allow-popups allow-popups-to-escape-sandbox allow-same-origin allow-scripts allow-presentation allow-downloads';

/** Milliseconds of silence after which the viewer may load the frame again. */
const PATIENCE = 12_000;

interface WidgetFrameProps {
  readonly widget: Widget;
  readonly url: string;
  readonly visit: Visit;
  /** What the client calls it. */
  readonly theme: string;
  readonly language: Language;
  readonly refusal: Refusal;
  /** Hears false when the widget stays silent, and true when it is ready after all. */
  readonly onAnswer: (answers: boolean) => void;
}

export function WidgetFrame({ widget, url, visit, theme, language, refusal, onAnswer }: WidgetFrameProps) {
  const frame = useRef<HTMLIFrameElement>(null);
  const [api, setApi] = useState<ClientWidgetApi | null>(null);
  // What the widget knows; at first what is in its address.
  const told = useRef({ theme, language });

  // Before the frame can have loaded, or its first message would be missed.
  useLayoutEffect(() => {
    if (frame.current === null) return undefined;
    const driver = new DemoDriver(visit.account, visit.roomId, refusal);
    const started = new ClientWidgetApi(widget, frame.current, driver);
    started.setViewedRoomId(visit.roomId);
    const stopFeeding = visit.onEvent((event) => {
      started.feedEvent(driver.roomEvent(event)).catch((error: unknown) => console.warn('The widget did not take an event:', error));
    });
    const timer = setTimeout(() => onAnswer(false), PATIENCE);
    started.on('ready', () => {
      clearTimeout(timer);
      onAnswer(true);
      setApi(started);
      document.body.dataset.ready = 'true';
    });
    started.on('error:preparing', (error: unknown) => {
      console.error('The widget does not answer:', error);
      onAnswer(false);
    });
    // This page never takes the frame away, so there is nothing to do.
    started.on('action:set_always_on_screen', (event: CustomEvent<never>) => {
      event.preventDefault();
      started.transport.reply(event.detail, { success: true } as never);
    });
    return () => {
      clearTimeout(timer);
      stopFeeding();
      started.stop();
      delete document.body.dataset.ready;
    };
  }, []);

  useEffect(() => {
    if (api === null || told.current.theme === theme) return;
    told.current.theme = theme;
    api.updateTheme({ name: theme }).catch((error: unknown) => console.warn('The widget did not take the theme:', error));
  }, [api, theme]);

  useEffect(() => {
    if (api === null || told.current.language === language) return;
    told.current.language = language;
    api.updateLanguage(language).catch((error: unknown) => console.warn('The widget did not take the language:', error));
  }, [api, language]);

  return <iframe class="frame" data-testid="widget" title={widget.name ?? 'Widget'} src={url} allow={ALLOW} sandbox={SANDBOX} ref={frame} />;
}
