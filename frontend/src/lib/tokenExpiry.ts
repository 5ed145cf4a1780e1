/** Until when a token for a program lasts: some days from now, or to the end of a day that a person chooses. */

export const LIVES = ['30', '90', '365', 'date'] as const;
export type Life = (typeof LIVES)[number];

const LONGEST_DAYS = 365;

const dayOf = (time: Date, later: number) =>
  new Date(time.getFullYear(), time.getMonth(), time.getDate() + later);

/** As `<input type="date">` writes a day. */
function isoDay(day: Date): string {
  const two = (n: number) => String(n).padStart(2, '0');
  return `${String(day.getFullYear()).padStart(4, '0')}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}

/** The first and the last day that may be chosen. */
export function expiryDays(now: Date): { first: string; last: string } {
  return { first: isoDay(now), last: isoDay(dayOf(now, LONGEST_DAYS)) };
}

/** The moment at which the token expires; null where the day is none, or out of bounds. */
export function expiryOf(life: Life, day: string, now: Date): Date | null {
  if (life !== 'date') return new Date(now.getTime() + Number(life) * 86_400_000);
  const { first, last } = expiryDays(now);
  const [year, month, date] = day.split('-').map(Number);
  if (!year || !month || !date || day < first || day > last) return null;
  return new Date(year, month - 1, date + 1); // when the day is over where the person is
}
