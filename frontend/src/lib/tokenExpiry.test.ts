import { describe, expect, it } from 'vitest';
import { expiryDays, expiryOf } from './tokenExpiry';

const now = new Date(2026, 10, 22, 21, 30);

describe('the end of a token', () => {
  it.each(['30', '90', '365'] as const)('is %s days away', (life) => {
    expect(expiryOf(life, '', now)?.getTime()).toBe(now.getTime() + Number(life) * 24 * 3600 * 1000);
  });

  it('is the end of a chosen day, where the person is', () => {
    expect(expiryOf('date', '2026-11-22', now)).toEqual(new Date(2026, 10, 23));
    expect(expiryOf('date', '2026-12-31', now)).toEqual(new Date(2027, 0, 1));
  });

  it.each(['', '2026-11-21', '2027-11-23', '9999-01-01', 'tomorrow', '2026-11'])(
    'is none for the day “%s”',
    (day) => expect(expiryOf('date', day, now)).toBeNull(),
  );

  it('is never farther away than the server allows', () => {
    const { first, last } = expiryDays(now);
    expect([first, last]).toEqual(['2026-11-22', '2027-11-22']);
    const end = expiryOf('date', last, now);
    expect(((end?.getTime() ?? NaN) - now.getTime()) / 86_400_000).toBeLessThanOrEqual(366);
  });

  it('knows leap years', () => {
    expect(expiryDays(new Date(2027, 1, 28)).last).toBe('2028-02-28');
    expect(expiryOf('date', '2028-02-29', new Date(2028, 1, 1))).toEqual(new Date(2028, 2, 1));
  });
});
