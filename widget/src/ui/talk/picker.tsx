// The choice of emoji, over everything (the browser's own popover: it closes by Escape and by a click elsewhere).
import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { ReactIcon } from '../icons';
import { useLanguage, useText, type Language } from '../text';
import { MORE, QUICK, type Emoji } from './emoji';

/** Pixels kept free around the choice. */
const EDGE = 6;

interface ChoicesProps {
  choices: readonly Emoji[];
  language: Language;
  onChoose: (key: string) => void;
}

const Choices = ({ choices, language, onChoose }: ChoicesProps) => (
  <div class="picker-grid">
    {choices.map(({ key, names }) => (
      <button key={key} type="button" class="picker-emoji" aria-label={names[language]} title={names[language]} data-testid="emoji" data-key={key} onClick={() => onChoose(key)}>
        {key}
      </button>
    ))}
  </div>
);

/** Arrow keys go through the choices as they stand on the screen. */
function walk(event: KeyboardEvent): void {
  // The player's own keys are not meant.
  if (event.key !== 'Escape' && event.key !== 'Tab') event.stopPropagation();
  const box = event.currentTarget as HTMLElement;
  const all = [...box.querySelectorAll<HTMLElement>('.picker-emoji')];
  const at = all.indexOf(document.activeElement as HTMLElement);
  const from = all[at];
  if (from === undefined) return;
  const aside = getComputedStyle(box).direction === 'rtl' ? -1 : 1;
  const steps: Partial<Record<string, () => HTMLElement | undefined>> = {
    ArrowRight: () => all[at + aside],
    ArrowLeft: () => all[at - aside],
    ArrowDown: () => all.slice(at).find((one) => one.offsetTop > from.offsetTop && one.offsetLeft >= from.offsetLeft),
    ArrowUp: () => all.slice(0, at).findLast((one) => one.offsetTop < from.offsetTop && one.offsetLeft <= from.offsetLeft),
    Home: () => all[0],
    End: () => all.at(-1),
  };
  const target = steps[event.key]?.();
  if (target === undefined) return;
  event.preventDefault();
  target.focus();
}

interface PickerProps {
  /** Stands above the choices, or where nothing can be chosen in their place. */
  note: ComponentChildren;
  usable: boolean;
  onChoose: (key: string) => void;
}

export function Picker({ note, usable, onChoose }: PickerProps) {
  const t = useText();
  const language = useLanguage();
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  const [place, setPlace] = useState({ left: 0, top: 0 });

  useLayoutEffect(() => {
    if (!open || button.current === null || box.current === null) return;
    const from = button.current.getBoundingClientRect();
    const { width, height } = box.current.getBoundingClientRect();
    const begin = getComputedStyle(box.current).direction === 'rtl' ? from.right - width : from.left;
    setPlace({
      left: Math.max(EDGE, Math.min(begin, innerWidth - width - EDGE)),
      top: Math.max(EDGE, Math.min(from.bottom + EDGE, innerHeight - height - EDGE)),
    });
    box.current.querySelector<HTMLElement>('.picker-emoji, .picker-note button')?.focus();
  }, [open, usable]);
  const choose = (key: string): void => {
    box.current?.hidePopover();
    button.current?.focus();
    onChoose(key);
  };
  return (
    <>
      <button ref={button} type="button" class="chip chip-add" aria-label={t('widget-talk-react')} title={t('widget-talk-react')} aria-haspopup="dialog" aria-expanded={open} data-testid="react" popovertarget={id}>
        <ReactIcon />
      </button>
      <div ref={box} id={id} popover="auto" class="picker" role="dialog" aria-label={t('widget-talk-react')} data-testid="picker" data-open={open} style={{ left: `${place.left}px`, top: `${place.top}px` }} onToggle={({ newState }) => setOpen(newState === 'open')} onKeyDown={walk}>
        {open && (
          <>
            {note}
            {usable && <Choices choices={QUICK} language={language} onChoose={choose} />}
            {usable && <Choices choices={MORE} language={language} onChoose={choose} />}
          </>
        )}
      </div>
    </>
  );
}
