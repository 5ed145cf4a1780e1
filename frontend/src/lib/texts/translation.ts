import type { Texts } from './en';

type Part<T> = T extends (...parts: never[]) => unknown
  ? T
  : T extends readonly unknown[] | string
    ? T
    : { [K in keyof T]?: Part<T[K]> };

/**
 * The texts in another language. What is missing is shown in English, so that who adds a text is not held up by
 * languages they do not speak; a test lists it (translation.test.ts). A text that is no text of the pages, or takes
 * other values than the English one, does not pass the type check.
 */
export type Translation = Part<Texts>;

type Branch = Record<string, unknown>;

const isBranch = (value: unknown): value is Branch =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A translation with the English texts where it has none. */
export function complete(translation: Translation, english: Texts): Texts {
  return fill(translation, english) as Texts;
}

function fill(translated: Branch, english: Branch): Branch {
  const texts = Object.entries(english).map(([key, text]) => {
    const own = translated[key];
    return [key, isBranch(text) ? fill(isBranch(own) ? own : {}, text) : (own ?? text)];
  });
  return Object.fromEntries(texts) as Branch;
}

/** The addresses of the texts that a translation does not have, such as "common.close". */
export function missingTexts(translation: Translation, english: Texts): string[] {
  return listMissing(translation, english, '');
}

function listMissing(translated: Branch, english: Branch, path: string): string[] {
  return Object.entries(english).flatMap(([key, text]) => {
    const own = translated[key];
    if (isBranch(text)) return listMissing(isBranch(own) ? own : {}, text, `${path}${key}.`);
    return own === undefined ? [path + key] : [];
  });
}
