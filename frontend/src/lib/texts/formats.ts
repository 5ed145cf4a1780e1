/**
 * Numbers, units and lists in the person's own way of writing. The browser's locale decides how a figure looks; the
 * language of the text decides which word goes with it.
 */

/** A typographic minus: the hyphen of most locales is easily overlooked before a position or a window. */
const withMinus = (text: string) => text.replace('-', '−');

/** To make one takes a hundred times as long as to use it, and a turning wheel writes hundreds of numbers a second. */
const formatters = new Map<string, Intl.NumberFormat>();

function formatterOf(options: Intl.NumberFormatOptions, locale?: string): Intl.NumberFormat {
  const key = JSON.stringify([locale, options]);
  let formatter = formatters.get(key);
  if (!formatter) {
    // A value that is rounded to nothing has no sign.
    formatter = new Intl.NumberFormat(locale, { signDisplay: 'negative', ...options });
    formatters.set(key, formatter);
  }
  return formatter;
}

/** "1,234" or "12.5"; as many decimals as the options say. */
export function formatNumber(value: number, options: Intl.NumberFormatOptions = {}, locale?: string): string {
  return withMinus(formatterOf(options, locale).format(value));
}

/** "12.5 mm", "45.0°": with exactly `decimals` places, so that figures that change do not jump. */
export function formatUnit(
  value: number,
  unit: 'millimeter' | 'centimeter' | 'degree' | 'percent',
  decimals: number,
  locale?: string,
): string {
  const digits = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  return formatNumber(value, { style: 'unit', unit, unitDisplay: 'short', ...digits }, locale);
}

/** The forms of a word for the numbers that a language tells apart (Unicode plural rules). */
export type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };

/** A number with its word: `amounts('en')(2, { one: 'slice', other: 'slices' })` is "2 slices". */
export function amounts(language: string, locale?: string): (n: number, forms: Forms) => string {
  const rules = new Intl.PluralRules(language);
  return (n, forms) => `${formatNumber(n, {}, locale)} ${forms[rules.select(n)] ?? forms.other}`;
}

/** "a, b and c" */
export function lists(language: string): (items: string[]) => string {
  const format = new Intl.ListFormat(language);
  return (items) => format.format(items);
}

/** A time to wait, rounded up to what a person plans with. */
export function roundUpTime(seconds: number): { unit: 'second' | 'minute' | 'hour'; n: number } {
  if (seconds < 90) return { unit: 'second', n: Math.ceil(seconds) };
  if (seconds < 90 * 60) return { unit: 'minute', n: Math.ceil(seconds / 60) };
  return { unit: 'hour', n: Math.ceil(seconds / 3600) };
}
