// The widget's frame and our half of the widget API, both for one address.
import { ClientWidgetApi, type Widget } from 'matrix-widget-api';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Theme } from '../../src/core/params';
import type { Account } from '../matrix/account';
import { DemoDriver } from '../matrix/driver';

// What Element Web gives its widgets.
const ALLOW = 'microphone; camera; encrypted-media; autoplay; display-capture; clipboard-read; clipboard-write; fullscreen';
const SANDBOX = 'allow-forms allow-popups allow-popups-to-escape-sandbox allow-same-origin allow-scripts allow-presentation allow-downloads';

/** Milliseconds of silence after which the viewer may load the frame again. */
const PATIENCE = 12_000;

interface WidgetFrameProps {
  readonly widget: Widget;
  readonly url: string;
  readonly account: Account;
  readonly theme: Theme;
  /** Hears false when the widget stays silent, and true when it is ready after all. */
  readonly onAnswer: (answers: boolean) => void;
}

export function WidgetFrame({ widget, url, account, theme, onAnswer }: WidgetFrameProps) {
  const frame = useRef<HTMLIFrameElement>(null);
  const [api, setApi] = useState<ClientWidgetApi | null>(null);
  // The theme that the widget knows; at first the one in its address.
  const told = useRef(theme);

  // Before the frame can have loaded, or its first message would be missed.
  useLayoutEffect(() => {
    if (frame.current === null) return undefined;
    const started = new ClientWidgetApi(widget, frame.current, new DemoDriver(account));
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
      started.stop();
      delete document.body.dataset.ready;
    };
  }, []);

  useEffect(() => {
    if (api === null || told.current === theme) return;
    told.current = theme;
    api.updateTheme({ name: theme }).catch((error: unknown) => console.warn('The widget did not take the theme:', error));
  }, [api, theme]);

  return <iframe class="frame" data-testid="widget" title={widget.name ?? 'Widget'} src={url} allow={ALLOW} sandbox={SANDBOX} ref={frame} />;
}
