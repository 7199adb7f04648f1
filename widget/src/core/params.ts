// What the page's address tells: the state event's template variables, and what the Matrix client appends.

export type Theme = 'light' | 'dark';

export interface Params {
  readonly roomId: string | null;
  readonly theme: Theme | null;
  readonly language: string | null;
  readonly widgetId: string | null;
  readonly parentUrl: string | null;
}

/** Reads the parameters through `get`. A variable that the client did not fill in still starts with `$` and counts as absent. */
export function readParams(get: (name: string) => string | null): Params {
  const value = (name: string): string | null => {
    const found = get(name);
    return found === null || found === '' || found.startsWith('$') ? null : found;
  };
  return {
    roomId: value('room_id'),
    theme: themeOf(value('theme')),
    language: value('lang'),
    widgetId: value('widgetId'),
    parentUrl: value('parentUrl'),
  };
}

/** Light or dark from a client's theme name (`dark`, `light-high-contrast`, `custom-…`); null when the name does not tell. */
export function themeOf(name: unknown): Theme | null {
  if (typeof name !== 'string') return null;
  if (/dark|black|night/i.test(name)) return 'dark';
  return /light/i.test(name) ? 'light' : null;
}

/** The first of `available` that a wish (`zh-Hans-CN`, `en_GB`) asks for by its language; else the first available. */
export function chooseLanguage<T extends string>(wishes: readonly (string | null)[], available: readonly [T, ...T[]]): T {
  for (const wish of wishes) {
    const language = wish?.toLowerCase().split(/[-_]/)[0];
    const found = available.find((candidate) => candidate === language);
    if (found !== undefined) return found;
  }
  return available[0];
}
