// The texts of the chosen language, from the catalogues that the bot uses too.
import { FluentBundle, FluentResource, type FluentVariable } from '@fluent/bundle';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import en from '../../locales/en.ftl?raw';
import zh from '../../locales/zh.ftl?raw';

const CATALOGUES = { en, zh } as const;
export type Language = keyof typeof CATALOGUES;
export const LANGUAGES: readonly [Language, ...Language[]] = ['en', 'zh'];

/** Looks a message up; an id that is missing everywhere is its own text. */
export type Translate = (id: string, values?: Record<string, FluentVariable>) => string;

function bundleOf(language: Language): FluentBundle {
  const bundle = new FluentBundle(language);
  bundle.addResource(new FluentResource(CATALOGUES[language]));
  return bundle;
}

/** The chosen language with English behind it. */
export function translator(language: Language): Translate {
  const bundles = [...new Set<Language>([language, 'en'])].map(bundleOf);
  return (id, values) => {
    for (const bundle of bundles) {
      const pattern = bundle.getMessage(id)?.value;
      if (pattern) return bundle.formatPattern(pattern, values ?? null, []);
    }
    return id;
  };
}

export const Text = createContext<Translate>((id) => id);

export function useText(): Translate {
  return useContext(Text);
}
