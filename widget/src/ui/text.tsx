// The texts of the chosen language, from the catalogues that the bot uses too.
import { FluentBundle, FluentResource, type FluentVariable } from '@fluent/bundle';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';

export type Language = 'en' | 'zh' | 'zh-TW';
export const LANGUAGES: readonly [Language, ...Language[]] = ['en', 'zh', 'zh-TW'];

/** Which way each is written. */
export const DIRECTIONS: Readonly<Record<Language, 'ltr' | 'rtl'>> = { en: 'ltr', zh: 'ltr', 'zh-TW': 'ltr' };

/** Looks a message up; an id that is missing everywhere is its own text. */
export type Translate = (id: string, values?: Record<string, FluentVariable>) => string;

/** The texts of a language, out of its catalogue. */
export function translatorOf(language: Language, catalogue: string): Translate {
  const bundle = new FluentBundle(language);
  bundle.addResource(new FluentResource(catalogue));
  return (id, values) => {
    const pattern = bundle.getMessage(id)?.value;
    return pattern ? bundle.formatPattern(pattern, values ?? null, []) : id;
  };
}

export const Text = createContext<Translate>((id) => id);

export function useText(): Translate {
  return useContext(Text);
}

/** The language of the texts, for what the browser formats itself. */
export function useLanguage(): Language {
  // Whoever formats is rendered again with the texts.
  useText();
  return LANGUAGES.find((language) => language === document.documentElement.lang) ?? LANGUAGES[0];
}
