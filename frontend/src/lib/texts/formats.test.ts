import { describe, expect, it } from 'vitest';
import { amounts, formatNumber, formatUnit, lists, roundUpTime } from './formats';

describe('amounts', () => {
  it('joins a number and its word by the plurals of the language', () => {
    // Unicode CLDR: one 1, few 2–4, many 5 in Polish.
    const polish = amounts('pl', 'pl');
    const forms = { one: 'plik', few: 'pliki', many: 'plików', other: 'pliku' };
    expect([1, 2, 5, 22].map((n) => polish(n, forms))).toEqual(['1 plik', '2 pliki', '5 plików', '22 pliki']);
  });

  it('writes the number as the browser’s locale does, whatever the language of the word', () => {
    expect(amounts('en', 'de-DE')(1234, { one: 'slice', other: 'slices' })).toBe('1.234 slices');
  });

  it('falls back to the form for other numbers', () => {
    expect(amounts('en', 'en')(1, { other: 'bytes' })).toBe('1 bytes');
  });
});

describe('formatUnit', () => {
  it.each([
    ['en', '−12.5 mm'],
    ['de', '−12,5 mm'],
    ['ar-EG', '؜−١٢٫٥ مم'],
  ])('follows the locale %s', (locale, text) => {
    expect(formatUnit(-12.5, 'millimeter', 1, locale).replaceAll('\u00a0', ' ')).toBe(text);
  });

  it('gives a value that rounds to nothing no sign', () => {
    expect(formatUnit(-0.01, 'millimeter', 1, 'en')).toBe('0.0 mm');
  });
});

describe('formatNumber', () => {
  it('groups thousands', () => {
    expect(formatNumber(123456.7, { maximumFractionDigits: 0 }, 'en')).toBe('123,457');
  });
});

describe('lists', () => {
  it('joins by the words of the language', () => {
    expect(lists('en')(['a', 'b', 'c'])).toBe('a, b, and c');
    expect(lists('de')(['a', 'b', 'c'])).toBe('a, b und c');
  });
});

describe('roundUpTime', () => {
  it.each([
    [0.2, { unit: 'second', n: 1 }],
    [89, { unit: 'second', n: 89 }],
    [90, { unit: 'minute', n: 2 }],
    [5400, { unit: 'hour', n: 2 }],
  ])('%s s is told as %o', (seconds, told) => {
    expect(roundUpTime(seconds)).toEqual(told);
  });
});
