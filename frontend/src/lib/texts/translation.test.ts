import { describe, expect, it } from 'vitest';
import { de } from './de';
import { en } from './en';
import { complete, missingTexts } from './translation';

describe('a translation', () => {
  it('shows English where it has no text of its own', () => {
    const texts = complete({ common: { close: 'Schließen' } }, en);
    expect(texts.common.close).toBe('Schließen');
    expect(texts.common.cancel).toBe('Cancel');
    expect(texts.common.slices(2)).toBe('2 slices');
    expect(texts.tools.commands.scroll).toBe(en.tools.commands.scroll);
  });

  it('knows what it has no text for', () => {
    const { close, ...common } = de.common ?? {};
    expect(close).toBe('Schließen');
    expect(missingTexts({ ...de, common }, en)).toContain('common.close');
  });

  it.each(Object.entries({ de }))('has every text: %s', (_, translation) => {
    expect(missingTexts(translation, en)).toEqual([]);
  });
});

describe('German', () => {
  it('uses its own plurals', () => {
    const texts = complete(de, en);
    expect(texts.common.slices(1)).toBe('1 Schicht');
    expect(texts.common.slices(2)).toBe('2 Schichten');
    expect(texts.problems.again(600)).toBe('Versuchen Sie es wieder nach: 10 Minuten.');
  });
});
