/**
 * The texts of the pages, in the language of the page.
 *
 * `texts` is a live binding: `useLanguage` runs before the first page is made (hooks.client.ts), so pages may keep
 * what they read from it. Adding a language is adding one file and one line here.
 */
import { en, type Texts } from './en';

export type { Texts } from './en';

interface Language {
  direction: 'ltr' | 'rtl';
  load: () => Promise<Texts>;
}

export const languages: Record<string, Language> = {
  en: { direction: 'ltr', load: () => Promise.resolve(en) },
  de: { direction: 'ltr', load: async () => (await import('./de')).de },
};

export let texts: Texts = en;

/** The first of the wanted languages (BCP 47) that there are texts in; English otherwise. */
export function chooseLanguage(wanted: readonly string[]): string {
  const known = wanted.map((tag) => tag.toLowerCase().split('-')[0] ?? '');
  return known.find((tag) => tag in languages) ?? 'en';
}

/** Loads the texts of a language and says so to the browser; where its file does not come, English stays. */
export async function useLanguage(tag: string, root: HTMLElement): Promise<void> {
  const language = languages[tag];
  if (!language) return;
  try {
    texts = await language.load();
  } catch {
    return;
  }
  root.lang = tag;
  root.dir = language.direction;
}
