// The list of the player's keys. Its code is loaded on request.
import { useEffect, useRef } from 'preact/hooks';
import { IconButton } from './controls';
import { CloseIcon } from './icons';
import './style/settings.css';
import { useText } from './text';

const SPACE = 'space';

/** What is pressed, and the text that says what it does. */
const KEYS: readonly (readonly [readonly string[], string])[] = [
  [[SPACE, 'K'], 'widget-key-play'],
  [[SPACE], 'widget-key-hurry'],
  [['J', 'L'], 'widget-key-step'],
  [['←', '→'], 'widget-key-seek'],
  [['0–9'], 'widget-key-share'],
  [['Home', 'End'], 'widget-key-ends'],
  [['P', 'N'], 'widget-key-video'],
  [['<', '>'], 'widget-key-speed'],
  [['↑', '↓'], 'widget-key-volume'],
  [['M'], 'widget-key-mute'],
  [['C'], 'widget-key-captions'],
  [['F'], 'widget-key-fullscreen'],
  [['?'], 'widget-key-help'],
];

export function KeysHelp({ onClose }: { onClose: () => void }) {
  const t = useText();
  const dialog = useRef<HTMLDialogElement>(null);
  // The browser itself keeps the focus inside, closes it on Escape, and gives the focus back.
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} class="keys" aria-labelledby="keys-title" data-testid="keys" onClose={onClose} onKeyDown={(event) => event.stopPropagation()} onClick={(event) => event.target === dialog.current && dialog.current?.close()}>
      <div class="keys-body">
        <header class="keys-head">
          <h2 id="keys-title">{t('widget-keys-list')}</h2>
          <IconButton label={t('widget-close')} testId="keys-close" onPress={() => dialog.current?.close()}><CloseIcon /></IconButton>
        </header>
        <dl>
          {KEYS.map(([keys, text]) => (
            <div key={text}>
              <dt>{keys.map((key) => <kbd key={key}>{key === SPACE ? t('widget-key-space') : key}</kbd>)}</dt>
              <dd>{t(text)}</dd>
            </div>
          ))}
        </dl>
        <p class="keys-hint">{t('widget-keys-hint')}</p>
      </div>
    </dialog>
  );
}
