// Times and names as people read them.

let characters: Intl.Segmenter | undefined;

/** Seconds as `0:07`, `12:34` or `1:02:03`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(Number.isFinite(seconds) ? seconds : 0));
  const { hours, minutes, rest } = split(whole);
  const tail = String(rest).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${tail}` : `${minutes}:${tail}`;
}

/** Hours, minutes and seconds, for texts that are spoken. */
export function split(seconds: number): { hours: number; minutes: number; rest: number } {
  const whole = Math.max(0, Math.floor(seconds));
  return { hours: Math.floor(whole / 3600), minutes: Math.floor((whole % 3600) / 60), rest: whole % 60 };
}

/** A remaining time in seconds as one would say it: in steps of five seconds, from a minute on in minutes. */
export function roughly(seconds: number): { unit: 'seconds' | 'minutes'; count: number } {
  const steps = Math.max(5, Math.ceil(seconds / 5) * 5);
  return steps < 60 ? { unit: 'seconds', count: steps } : { unit: 'minutes', count: Math.round(steps / 60) };
}

/** `@alice:example.org` → `alice`; anything else stays as it is. */
export function localpart(userId: string): string {
  return /^@([^:]+):/.exec(userId)?.[1] ?? userId;
}

/** One or two letters for an image that is missing; never half a character. */
export function initials(name: string): string {
  const words = name.replace(/^[@#!]+/, '').split(/[\s._-]+/u).filter((word) => word !== '');
  const first = firstCharacter(words[0] ?? '?');
  const second = words.length > 1 ? firstCharacter(words.at(-1) ?? '') : '';
  return (first + second).toUpperCase();
}

function firstCharacter(word: string): string {
  // The browser reads its rules of characters for the first question: as long as the rest of a first view takes.
  if (/^[!-~](?:[!-~]|$)/.test(word)) return word.charAt(0);
  characters ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  return characters.segment(word)[Symbol.iterator]().next().value?.segment ?? '';
}

/** A stable choice out of `count` colours for a name. */
export function colourOf(name: string, count: number): number {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return hash % count;
}

/** A file name as a title: without its ending, underscores as spaces. */
export function titleOf(title: string): string {
  return title.replace(/\.(mp4|m4v|mov|webm|mkv|avi|ogv|3gp|ts|mpe?g|flv|wmv)$/i, '').replace(/_+/g, ' ').trim() || title;
}

const STEPS = [['second', 60], ['minute', 60], ['hour', 24], ['day', 30], ['month', 12]] as const;

/** How long ago, as one would say it: for `Intl.RelativeTimeFormat`, so that the count is negative or 0. */
export function ago(at: number, now: number): { count: number; unit: Intl.RelativeTimeFormatUnit } {
  let count = Math.max(0, Math.floor((now - at) / 1_000));
  // Seconds would have to tick.
  if (count < 60) return { count: 0, unit: 'second' };
  for (const [unit, size] of STEPS) {
    if (count < size) return { count: -count, unit };
    count = Math.floor(count / size);
  }
  return { count: -count, unit: 'year' };
}
