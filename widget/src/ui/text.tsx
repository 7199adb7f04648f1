// The texts of the chosen language, from the catalogues that the bot uses too.
import { FluentBundle, FluentNumber, type FluentResource, type FluentVariable, type Scope } from '@fluent/bundle';
import { createContext } from 'preact';
import { useContext, useMemo } from 'preact/hooks';
import { chooseLanguage } from '../core/params';

export type Language = 'en' | 'zh' | 'zh-TW';
export const LANGUAGES: readonly [Language, ...Language[]] = ['en', 'zh', 'zh-TW'];

/** Which way each is written. */
export const DIRECTIONS: Readonly<Record<Language, 'ltr' | 'rtl'>> = { en: 'ltr', zh: 'ltr', 'zh-TW': 'ltr' };

/** Looks a message up; an id that is missing everywhere is its own text. */
export type Translate = (id: string, values?: Record<string, FluentVariable>) => string;

/** What the build made of a catalogue. */
export type Catalogue = Pick<FluentResource, 'body'>;

/** A number whose digits need no formatter when they are few: the browser takes long to make its first one. */
class Count extends FluentNumber {
  override toString(scope?: Scope): string {
    return Number.isInteger(this.value) && this.value >= 0 && this.value < 1000 ? String(this.value) : super.toString(scope);
  }
}

const counted = (values: Record<string, FluentVariable>): Record<string, FluentVariable> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, typeof value === 'number' ? new Count(value) : value]));

/** The texts of a language, out of its parsed catalogue; dates and numbers as one of `locales` writes them. */
export function translatorOf(language: Language, catalogue: Catalogue, locales: readonly string[] = [language]): Translate {
  const bundle = new FluentBundle([...locales]);
  bundle.addResource(catalogue);
  return (id, values) => {
    const pattern = bundle.getMessage(id)?.value;
    return pattern ? bundle.formatPattern(pattern, values ? counted(values) : null, []) : id;
  };
}

export const Text = createContext<Translate>((id) => id);

export function useText(): Translate {
  return useContext(Text);
}

/** How dates and numbers are written in a language: as where the viewer lives (`en-GB`), if their browser says so. */
export function localesOf(language: Language): readonly string[] {
  return [...navigator.languages.filter((locale) => chooseLanguage([locale], LANGUAGES) === language && locale.toLowerCase().startsWith(language.slice(0, 2))), language];
}

/** Those of the language of the texts. */
export function useLocales(): readonly string[] {
  const language = useLanguage();
  return useMemo(() => localesOf(language), [language]);
}

/** The language of the texts, for what the browser formats itself. */
export function useLanguage(): Language {
  // Whoever formats is rendered again with the texts.
  useText();
  return LANGUAGES.find((language) => language === document.documentElement.lang) ?? LANGUAGES[0];
}
