/** In which language's letters a name is written, so that fonts and voices treat it right (HTML `lang`). */

const SCRIPTS: readonly [RegExp, string][] = [
  [/[\p{Script=Hiragana}\p{Script=Katakana}]/u, 'ja'],
  [/\p{Script=Hangul}/u, 'ko'],
  [/\p{Script=Hebrew}/u, 'he'],
  [/\p{Script=Arabic}/u, 'ar'],
  [/\p{Script=Thai}/u, 'th'],
  [/\p{Script=Greek}/u, 'el'],
  [/\p{Script=Cyrillic}/u, 'ru'],
  [/\p{Script=Devanagari}/u, 'hi'],
];

/**
 * The language to announce, or undefined for Latin letters, which could be any of a hundred.
 *
 * Han characters alone do not tell Chinese from Japanese or Korean; `context`, the name's other writings
 * (PS3.5 6.2.1.2 keeps them side by side), often does.
 */
export function languageOf(text: string, context = ''): string | undefined {
  const found = SCRIPTS.find(([script]) => script.test(text));
  if (found) return found[1];
  if (!/\p{Script=Han}/u.test(text)) return undefined;
  const beside = SCRIPTS.slice(0, 2).find(([script]) => script.test(context));
  return beside?.[1] ?? 'zh';
}
