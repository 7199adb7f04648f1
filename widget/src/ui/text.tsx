// The texts of the chosen language, from the catalogues that the bot uses too.
import { FluentBundle, FluentResource, type FluentVariable } from '@fluent/bundle';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import en from '../../locales/en.ftl?raw';

/** The languages besides English, which is always there because it stands in for what another one lacks. */
const OTHERS = { zh: () => import('../../locales/zh.ftl?raw') } as const;
export type Language = 'en' | keyof typeof OTHERS;
export const LANGUAGES: readonly [Language, ...Language[]] = ['en', 'zh'];

/** Looks a message up; an id that is missing everywhere is its own text. */
export type Translate = (id: string, values?: Record<string, FluentVariable>) => string;

function bundleOf(language: Language, catalogue: string): FluentBundle {
  const bundle = new FluentBundle(language);
  bundle.addResource(new FluentResource(catalogue));
  return bundle;
}

/** The texts of a language with English behind them; English alone when they cannot be fetched. */
export async function translator(language: Language): Promise<Translate> {
  const bundles = [bundleOf('en', en)];
  const catalogue = language === 'en' ? null : await OTHERS[language]().catch(() => null);
  if (catalogue !== null) bundles.unshift(bundleOf(language, catalogue.default));
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
