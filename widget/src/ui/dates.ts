// When something was sent, as one would say it, in the viewer's language and time zone.
import { ago } from '../core/format';

/** Milliseconds for which it is said how long ago something was. */
const RECENT = 7 * 24 * 3_600_000;

// Rows are many, and a formatter takes long to be made.
const made = new Map<string, Intl.DateTimeFormat>();
const relative = new Map<string, Intl.RelativeTimeFormat>();

function format(locales: readonly string[], options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = JSON.stringify([locales, options]);
  const known = made.get(key) ?? new Intl.DateTimeFormat([...locales], options);
  made.set(key, known);
  return known;
}

/** `5 min. ago`; `29 Nov`; with the year in another year. Times in milliseconds since the epoch. */
export function shortDate(at: number, now: number, locales: readonly string[]): string {
  if (now - at < RECENT) {
    const { count, unit } = ago(at, now);
    const key = locales.join();
    const known = relative.get(key) ?? new Intl.RelativeTimeFormat([...locales], { numeric: 'auto', style: 'short' });
    relative.set(key, known);
    return known.format(count, unit);
  }
  const thisYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return format(locales, { day: 'numeric', month: 'short', ...(!thisYear && { year: 'numeric' }) }).format(at);
}

/** Day and time in full. */
export function fullDate(at: number, locales: readonly string[]): string {
  return format(locales, { dateStyle: 'full', timeStyle: 'short' }).format(at);
}
