// When something was sent: in short, and in full for who points at it.
import { useState } from 'preact/hooks';
import { fullDate } from './dates';
import { useLocales } from './text';

/** `at` in milliseconds since the epoch; `text`: the same in short. */
export function When({ at, text, className }: { at: number; text: string; className?: string }) {
  const locales = useLocales();
  // A list has many, and what formats full dates takes long to be made.
  const [pointed, setPointed] = useState(false);
  return (
    <time class={className} dateTime={new Date(at).toISOString()} title={pointed ? fullDate(at, locales) : undefined} onPointerEnter={() => setPointed(true)}>
      {text}
    </time>
  );
}
