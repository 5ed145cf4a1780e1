import { describe, expect, it } from 'vitest';
import { de } from './de';
import { en, type Texts } from './en';
import { missingTexts } from './translation';

describe('a translation', () => {
  it('knows what it has no text for', () => {
    const { close, ...common } = de.common;
    expect(close).toBe('Schließen');
    expect(missingTexts({ ...de, common } as Texts, en)).toEqual(['common.close']);
  });

  it.each(Object.entries({ de }))('has every text: %s', (_, translation) => {
    expect(missingTexts(translation, en)).toEqual([]);
  });
});

describe('German', () => {
  it('uses its own plurals', () => {
    expect(de.common.slices(1)).toBe('1 Schicht');
    expect(de.common.slices(2)).toBe('2 Schichten');
    expect(de.problems.again(600)).toBe('Versuchen Sie es wieder nach: 10 Minuten.');
  });
});
