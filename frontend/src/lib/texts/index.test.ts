import { afterEach, describe, expect, it } from 'vitest';
import { en } from './en';
import { chooseLanguage, languages, texts, useLanguage } from './index';

const root = () => ({ lang: '', dir: '' }) as HTMLElement;

afterEach(() => {
  delete languages['he'];
  return useLanguage('en', root());
});

describe('chooseLanguage', () => {
  it('takes the first wanted language that there are texts in', () => {
    expect(chooseLanguage(['xx-YY', 'en-GB', 'en'])).toBe('en');
    languages['he'] = { direction: 'rtl', load: () => Promise.resolve(en) };
    expect(chooseLanguage(['xx', 'he-IL', 'en'])).toBe('he');
  });

  it('is English where there are none', () => {
    expect(chooseLanguage(['xx'])).toBe('en');
    expect(chooseLanguage([])).toBe('en');
  });
});

describe('useLanguage', () => {
  it('changes the texts, their language and their direction', async () => {
    const common = { ...en.common, close: 'סגירה' };
    languages['he'] = { direction: 'rtl', load: () => Promise.resolve({ ...en, common }) };
    const page = root();
    await useLanguage('he', page);
    expect(texts.common.close).toBe('סגירה');
    expect(page).toMatchObject({ lang: 'he', dir: 'rtl' });
  });

  it('stays English when the texts do not come', async () => {
    languages['he'] = { direction: 'rtl', load: () => Promise.reject(new TypeError('offline')) };
    const page = root();
    await useLanguage('he', page);
    expect(texts.common.close).toBe('Close');
    expect(page.lang).toBe('');
  });
});
