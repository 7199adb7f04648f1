// What the page's own address says, for links and tests: who signs in, theme, language, layout, refused capabilities, prompts, and what becomes of hosts.
import { themeOf, type Theme } from '../src/core/params';

export const LANGUAGES = ['en', 'zh', 'zh-TW'] as const;
export type Language = (typeof LANGUAGES)[number];

/** Capabilities that the widget is refused: those that contain one of `parts`. */
export interface Refusal {
  readonly parts: readonly string[];
  /** Only at its first request. */
  readonly once: boolean;
}

/** `grant`: all that the widget requests; `ask`: the viewer is prompted, as in Element. */
export type Permissions = 'grant' | 'ask';

/**
 * What becomes of our half of the widget API when the room is left. `stop`: it ends. As in clients that start it anew at every visit and
 * never stop it, `pile`: each of them responds to every request into the frame, which is kept; `leak`: each handles every request, but responds
 * into the frame of its own visit, which is gone.
 */
export type Hosts = 'stop' | 'pile' | 'leak';

export interface Settings {
  /** Localpart of the user who signs in at once. */
  readonly user: string | null;
  /** Which of the demo's rooms is shown. */
  readonly room: 'plain' | 'encrypted';
  readonly theme: Theme;
  /** The theme is one of high contrast. */
  readonly contrast: boolean;
  readonly language: Language;
  /** `widget`: nothing but the widget, over the whole viewport. */
  readonly layout: 'room' | 'widget';
  readonly refusal: Refusal;
  readonly permissions: Permissions;
  readonly hosts: Hosts;
}

export const isLanguage = (value: unknown): value is Language => LANGUAGES.some((language) => language === value);

/** Reads the address' query; what is missing or unknown becomes the system's theme and English. */
export function readSettings(query: URLSearchParams, systemTheme: Theme): Settings {
  const language = query.get('lang');
  const hosts = query.get('hosts');
  return {
    user: query.get('user'),
    room: query.get('room') === 'encrypted' ? 'encrypted' : 'plain',
    theme: themeOf(query.get('theme')) ?? systemTheme,
    contrast: query.get('contrast') === 'more',
    language: isLanguage(language) ? language : 'en',
    layout: query.get('layout') === 'widget' ? 'widget' : 'room',
    refusal: refusalOf(query.get('refuse')),
    permissions: query.get('permissions') === 'ask' ? 'ask' : 'grant',
    hosts: hosts === 'pile' || hosts === 'leak' ? hosts : 'stop',
  };
}

function refusalOf(value: string | null): Refusal {
  if (value === 'all' || value === 'once') return { parts: [''], once: value === 'once' };
  return { parts: value?.split(',').filter((part) => part !== '') ?? [], once: false };
}

/** What clients call a theme. */
export const themeName = (theme: Theme, contrast: boolean): string => (contrast ? `${theme}-high-contrast` : theme);

/** The query with one setting changed (null removes it), so that a reload shows the same page again. */
export function withSetting(query: URLSearchParams, name: 'user' | 'theme' | 'lang', value: string | null): URLSearchParams {
  const changed = new URLSearchParams(query);
  if (value === null) changed.delete(name);
  else changed.set(name, value);
  return changed;
}
