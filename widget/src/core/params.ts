// What the page's address says: the state event's template variables, and what the Matrix client appends.

const TRADITIONAL: ReadonlySet<string> = new Set(['hant', 'tw', 'hk', 'mo']);

export type Theme = 'light' | 'dark';

export interface Params {
  readonly roomId: string | null;
  /** Whom the client takes the viewer for: no proof. */
  readonly userId: string | null;
  readonly theme: Theme | null;
  /** The client's theme is one of high contrast. */
  readonly contrast: boolean;
  readonly language: string | null;
  readonly widgetId: string | null;
  readonly parentUrl: string | null;
  /** The video to begin with: the address is a link to it. */
  readonly videoId: string | null;
}

/** Reads the parameters through `get`. A variable that the client did not fill in still starts with `$` and counts as absent. */
export function readParams(get: (name: string) => string | null): Params {
  const value = (name: string): string | null => {
    const found = get(name);
    return found === null || found === '' || found.startsWith('$') ? null : found;
  };
  return {
    roomId: value('room_id'),
    userId: value('user_id'),
    theme: themeOf(value('theme')),
    contrast: hasContrast(value('theme')),
    language: value('lang'),
    widgetId: value('widgetId'),
    parentUrl: value('parentUrl'),
    videoId: value('video'),
  };
}

/** Light or dark from a client's theme name (`dark`, `light-high-contrast`, `custom-…`); null when the name does not say. */
export function themeOf(name: unknown): Theme | null {
  if (typeof name !== 'string') return null;
  if (/dark|black|night/i.test(name)) return 'dark';
  return /light/i.test(name) ? 'light' : null;
}

/** True for the name of a theme of high contrast (`light-high-contrast`). */
export function hasContrast(name: unknown): boolean {
  return typeof name === 'string' && /contrast/i.test(name);
}

/** The language of a tag. Chinese is of two scripts: one that is named holds, else that of the region. */
function languageOf(tag: string): string {
  const [language = '', ...rest] = tag.toLowerCase().split(/[-_]/);
  const traditional = !rest.includes('hans') && rest.some((part) => TRADITIONAL.has(part));
  return language === 'zh' && traditional ? 'zh-TW' : language;
}

/** The first of `available` whose language is that of a wish (`zh-Hans-CN`, `en_GB`); else the first available. */
export function chooseLanguage<T extends string>(wishes: readonly (string | null)[], available: readonly [T, ...T[]]): T {
  for (const wish of wishes) {
    const language = wish === null ? null : languageOf(wish);
    const found = available.find((candidate) => candidate === language);
    if (found !== undefined) return found;
  }
  return available[0];
}
