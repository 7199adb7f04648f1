// What the page's own address says, for links and tests: who signs in, theme, language, layout.
import { themeOf, type Theme } from '../src/core/params';

export const LANGUAGES = ['en', 'zh'] as const;
export type Language = (typeof LANGUAGES)[number];

export interface Settings {
  /** Localpart of the user who signs in at once. */
  readonly user: string | null;
  readonly theme: Theme;
  readonly language: Language;
  /** `widget`: nothing but the widget, over the whole viewport. */
  readonly layout: 'room' | 'widget';
}

export const isLanguage = (value: unknown): value is Language => LANGUAGES.some((language) => language === value);

/** Reads the address' query; what is missing or unknown becomes the system's theme and English. */
export function readSettings(query: URLSearchParams, systemTheme: Theme): Settings {
  const language = query.get('lang');
  return {
    user: query.get('user'),
    theme: themeOf(query.get('theme')) ?? systemTheme,
    language: isLanguage(language) ? language : 'en',
    layout: query.get('layout') === 'widget' ? 'widget' : 'room',
  };
}

/** The query with one setting changed (null removes it), so that a reload shows the same page again. */
export function withSetting(query: URLSearchParams, name: 'user' | 'theme' | 'lang', value: string | null): URLSearchParams {
  const changed = new URLSearchParams(query);
  if (value === null) changed.delete(name);
  else changed.set(name, value);
  return changed;
}
