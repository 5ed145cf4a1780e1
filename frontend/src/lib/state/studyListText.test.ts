import { describe, expect, it } from 'vitest';
import { keepText, readText } from './studyListText';

describe('the text of the search', () => {
  it('comes back to who typed it, and to nobody else', () => {
    const { studySearch } = keepText('yamada', 'anna');
    expect(readText(studySearch, 'anna')).toBe('yamada');
    expect(readText(studySearch, 'rita')).toBe('');
    expect(readText(studySearch, null)).toBe('');
  });

  it('leaves nothing behind where nothing was typed', () => {
    expect(keepText('', 'anna')).toEqual({});
    expect(keepText('x', null)).toEqual({});
  });

  it.each([undefined, null, 'yamada', { text: 5, username: 'anna' }, { text: 'x' }])(
    'is empty where an entry holds %j',
    (kept) => expect(readText(kept, 'anna')).toBe(''),
  );
});
