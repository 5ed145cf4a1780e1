import type { Texts } from './en';

type Branch = Record<string, unknown>;

const isBranch = (value: unknown): value is Branch =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The addresses of the texts that a translation does not have, such as "common.close". The type check finds most;
 * not those in lists under names that types do not know, such as the codes of problems.
 */
export function missingTexts(translation: Texts, english: Texts): string[] {
  return listMissing(translation, english, '');
}

function listMissing(translated: Branch, english: Branch, path: string): string[] {
  return Object.entries(english).flatMap(([key, text]) => {
    const own = translated[key];
    if (isBranch(text)) return listMissing(isBranch(own) ? own : {}, text, `${path}${key}.`);
    return own === undefined ? [path + key] : [];
  });
}
