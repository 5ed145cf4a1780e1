import { describe, expect, it } from 'vitest';
import { formatDay } from './date';

describe('formatDay', () => {
  it('writes a day as the language does', () => {
    expect(formatDay('2024-03-01', 'en-GB')).toBe('1 Mar 2024');
  });

  it('leaves text alone that is no date', () => {
    expect(formatDay('2024', 'en-GB')).toBe('2024');
    expect(formatDay('2024-13-45', 'en-GB')).toBe('2024-13-45');
  });

  it('has nothing to say about nothing', () => {
    expect(formatDay(null)).toBeNull();
    expect(formatDay('')).toBeNull();
  });
});
