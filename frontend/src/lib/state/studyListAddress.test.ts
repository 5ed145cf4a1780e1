import { describe, expect, it } from 'vitest';
import {
  countFilters,
  daysOf,
  DEFAULT_SORT,
  nextSort,
  NO_FILTERS,
  parseAddress,
  readDay,
  toQuery,
  writeAddress,
} from './studyListAddress';

const parse = (text: string) => parseAddress(new URLSearchParams(text));
const NOON = new Date(2026, 10, 22, 12);

describe('parseAddress', () => {
  it('begins with the newest studies, 50 on a page, without any condition', () => {
    expect(parse('')).toEqual({
      page: 1,
      size: 50,
      sort: DEFAULT_SORT,
      modalities: [],
      verdict: null,
      dates: null,
      study: null,
    });
  });

  it('reads everything that writeAddress writes', () => {
    const address = {
      page: 3,
      size: 100,
      sort: { column: 'patient_name', isDescending: false },
      modalities: ['CT', 'MR'],
      verdict: 'cine',
      dates: { from: '2026-01-02', to: null },
      study: '1.2.840.1',
    } as const;
    const written = writeAddress({ ...address, modalities: ['CT', 'MR'] });
    expect(written).toBe(
      '/studies?modality=CT&modality=MR&from=2026-01-02&verdict=cine&sort=patient_name&size=100&page=3&study=1.2.840.1',
    );
    expect(parse(written.slice('/studies?'.length))).toEqual(address);
  });

  it.each([
    ['page=0', 'page=-1', 'page=1.5', 'page=x', 'page=1e99', 'page=Infinity'],
    ['size=7', 'size=100000'],
    ['sort=password', 'sort=--study_date', 'sort=toString'],
    ['modality=%3Cscript%3E', 'verdict=nonsense', 'date=never', 'date=toString', 'from=2026-02-31', 'to=x'],
    ['study=..%2Fetc', 'study='],
  ])('leaves out what makes no sense: %s …', (...texts) => {
    for (const text of texts) expect(parse(text), text).toEqual(parse(''));
  });

  it('takes days in either order', () => {
    expect(parse('from=2026-05-01&to=2026-01-01').dates).toEqual({ from: '2026-01-01', to: '2026-05-01' });
  });

  it('asks once for what stands there twice, in the letters of the standard', () => {
    expect(parse('modality=ct&modality=CT').modalities).toEqual(['CT']);
  });
});

describe('writeAddress', () => {
  it('leaves out what is usual', () => {
    expect(writeAddress(parse('page=1&size=50&sort=-study_date'))).toBe('/studies');
  });
});

describe('nextSort', () => {
  it('turns the order round at the second click on a column', () => {
    const first = nextSort(DEFAULT_SORT, 'patient_name');
    expect(first).toEqual({ column: 'patient_name', isDescending: false });
    expect(nextSort(first, 'patient_name').isDescending).toBe(true);
  });

  it.each(['study_date', 'series_count', 'slice_count'] as const)('begins with the largest %s', (column) => {
    expect(nextSort({ column: 'verdict', isDescending: false }, column).isDescending).toBe(true);
  });
});

describe('daysOf', () => {
  it.each([
    ['today', '2026-11-22'],
    ['7d', '2026-11-16'],
    ['30d', '2026-10-24'],
    ['year', '2025-11-23'],
  ] as const)('counts %s from %s, today included', (preset, from) => {
    expect(daysOf({ preset }, NOON)).toEqual({ from, to: '2026-11-22' });
  });

  it('goes by the calendar on the wall, a minute before midnight too', () => {
    expect(daysOf({ preset: 'today' }, new Date(2026, 10, 22, 23, 59)).to).toBe('2026-11-22');
    expect(daysOf({ preset: 'today' }, new Date(2026, 10, 22, 0, 1)).to).toBe('2026-11-22');
  });
});

describe('readDay', () => {
  it('knows which days there are', () => {
    expect(['2024-02-29', '2026-02-29', '2026-13-01', '20260101', ''].map(readDay)).toEqual([
      '2024-02-29',
      null,
      null,
      null,
      null,
    ]);
  });
});

describe('toQuery', () => {
  it('asks for the rows of the page, with every condition', () => {
    expect(toQuery(parse('page=3&size=25&modality=CT&date=today&verdict=cine'), ' 山田 ', NOON)).toEqual({
      limit: 25,
      offset: 50,
      sort: '-study_date',
      query: '山田',
      modality: ['CT'],
      study_date_from: '2026-11-22',
      study_date_to: '2026-11-22',
      verdict: 'cine',
    });
  });

  it('has no words to ask for where only spaces are typed', () => {
    expect(toQuery(parse(''), '   ', NOON).query).toBeNull();
  });
});

describe('countFilters', () => {
  it('counts kinds of conditions, none of which is left after NO_FILTERS', () => {
    const address = parse('modality=CT&modality=MR&date=7d&verdict=cine');
    expect(countFilters(address)).toBe(3);
    expect(countFilters({ ...address, ...NO_FILTERS })).toBe(0);
  });
});
