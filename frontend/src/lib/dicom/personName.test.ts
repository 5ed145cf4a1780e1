import { describe, expect, it } from 'vitest';
import { displayName } from './personName';

const none = { family: '', given: '', middle: '', prefix: '', suffix: '' };

describe('displayName', () => {
  it('writes all five components in reading order', () => {
    // The example of PS3.5 6.2.1.2: Adams^John Robert Quincy^^Rev.^B.A. M.Div.
    const adams = {
      ...none,
      family: 'Adams',
      given: 'John Robert Quincy',
      prefix: 'Rev.',
      suffix: 'B.A. M.Div.',
    };
    expect(displayName(adams)).toBe('Adams, Rev. John Robert Quincy, B.A. M.Div.');
  });

  it('leaves out what is empty', () => {
    expect(displayName({ ...none, family: 'Doe', given: 'John' })).toBe('Doe, John');
    expect(displayName({ ...none, given: 'Madonna' })).toBe('Madonna');
    expect(displayName(none)).toBe('');
    expect(displayName(null)).toBe('');
  });
});
