import { describe, expect, it } from 'vitest';
import { formatSize } from './fileSize';

describe('formatSize', () => {
  it.each([
    [null, '–'],
    [0, '0 bytes'],
    [1, '1 byte'],
    [999, '999 bytes'],
    [1000, '1 kB'],
    [65_536, '65.5 kB'],
    [999_999, '1,000 kB'],
    [1_000_000, '1 MB'],
    [4_400_000_000, '4.4 GB'],
    [2e15, '2,000 TB'],
  ])('writes %s as %s', (bytes, text) => {
    expect(formatSize(bytes, 'en')).toBe(text);
  });
});
