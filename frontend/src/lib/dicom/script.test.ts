import { describe, expect, it } from 'vitest';
import { languageOf } from './script';

describe('languageOf', () => {
  // The names are the examples of PS3.5 annexes H, I, J and K.
  it.each([
    ['Yamada, Tarou', undefined],
    ['やまだ, たろう', 'ja'],
    ['ﾔﾏﾀﾞ, ﾀﾛｳ', 'ja'],
    ['길동, 홍', 'ko'],
    ['Διονυσιος', 'el'],
    ['Люкceмбypг', 'ru'],
    ['שרון, דבורה', 'he'],
    ['قباني, لنزار', 'ar'],
  ])('knows the script of %s', (name, language) => {
    expect(languageOf(name)).toBe(language);
  });

  it('takes Han characters for Chinese when nothing else is known', () => {
    expect(languageOf('王, 小东')).toBe('zh');
  });

  it('takes Han characters for what their phonetic writing shows', () => {
    expect(languageOf('山田, 太郎', 'やまだ, たろう')).toBe('ja');
    expect(languageOf('洪, 吉洞', '홍, 길동')).toBe('ko');
  });
});
