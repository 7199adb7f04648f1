// Fetches the texts of the viewer's language. Each catalogue is whole (a test sees to it), so that one is enough.
import en from '../../locales/en.ftl?catalogue';
import zh from '../../locales/zh.ftl?catalogue';
import zhTW from '../../locales/zh-TW.ftl?catalogue';
import { localesOf, translatorOf, type Catalogue, type Language, type Translate } from './text';

const URLS: Readonly<Record<Language, string>> = { en, zh, 'zh-TW': zhTW };

/** The texts of a language, and which it is; of English when they cannot be fetched. Rejects when neither can. */
export async function texts(wish: Language): Promise<{ language: Language; translate: Translate }> {
  const of = async (language: Language) => ({ language, translate: await fetched(language) });
  return of(wish).catch(() => of('en'));
}

async function fetched(language: Language): Promise<Translate> {
  // As the page's head preloads it: with other credentials it would be fetched twice.
  const response = await fetch(URLS[language], { credentials: 'same-origin' });
  if (!response.ok) throw new Error(`The texts cannot be had: ${response.status}`);
  const body = (await response.json()) as Catalogue['body'];
  return translatorOf(language, { body }, localesOf(language));
}
