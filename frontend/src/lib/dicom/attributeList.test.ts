import { expect, test } from 'vitest';
import { listAttributes, nameOf, searchAttributes } from './attributeList';

const words = {
  item: (n: number) => `Item ${n}`,
  items: (n: number) => `${n} items`,
  bytes: (n: number) => `${n} bytes`,
  elsewhere: 'in the file',
  empty: 'empty',
};
const names = new Map([
  ['00080060', 'Modality'],
  ['0008103E', 'SeriesDescription'],
  ['00081140', 'ReferencedImageSequence'],
  ['00081155', 'ReferencedSOPInstanceUID'],
  ['00100010', 'PatientName'],
  ['60xx3000', 'OverlayData'],
]);
const dataset = {
  '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Müller^Ann', Ideographic: '山田^太郎' }] },
  '00080060': { vr: 'CS', Value: ['CT'] },
  '0008103E': { vr: 'LO' },
  '00081140': { vr: 'SQ', Value: [{ '00081155': { vr: 'UI', Value: ['1.2.3'] } }, {}] },
  '00091002': { vr: 'UN', InlineBinary: 'AAEC' },
  '00280030': { vr: 'DS', Value: [0.5, null] },
  '60023000': { vr: 'OW', BulkDataURI: 'http://localhost/bulk' },
};
const lines = listAttributes(dataset, names, words);
const find = (path: string) => lines.find((line) => line.path === path);

test('attributes stand in the order of their tags, items below their sequence', () => {
  expect(lines.map(({ path }) => path)).toEqual([
    '/00080060',
    '/0008103E',
    '/00081140',
    '/00081140/1',
    '/00081140/1/00081155',
    '/00081140/2',
    '/00091002',
    '/00100010',
    '/00280030',
    '/60023000',
  ]);
  expect(find('/00081140/1/00081155')).toMatchObject({ depth: 2, tag: '(0008,1155)', value: '1.2.3' });
});

test('values of every kind are text', () => {
  expect(find('/00100010')?.value).toBe('Müller^Ann = 山田^太郎');
  expect(find('/0008103E')?.value).toBe('empty');
  expect(find('/00091002')).toMatchObject({ value: '3 bytes', isPrivate: true, name: null });
  expect(find('/00280030')?.value).toBe('0.5 \\ ');
  expect(find('/60023000')?.value).toBe('in the file');
  expect(find('/00081140')?.value).toBe('2 items');
});

test('keywords become words, groups that repeat are found', () => {
  expect(nameOf('00081155', names)).toBe('Referenced SOP Instance UID');
  expect(nameOf('60023000', names)).toBe('Overlay Data');
  expect(nameOf('00091002', names)).toBeNull();
});

test('a search finds names, values and tags, and keeps the sequence around them', () => {
  const paths = (search: string) => searchAttributes(lines, search).map(({ path }) => path);
  expect(paths('muller')).toEqual(['/00100010']);
  expect(paths('instance 1.2.3')).toEqual(['/00081140', '/00081140/1', '/00081140/1/00081155']);
  expect(paths('0008,103e')).toEqual(['/0008103E']);
  expect(paths('0008103E')).toEqual(['/0008103E']);
  expect(paths('no such thing')).toEqual([]);
  expect(paths(' ')).toHaveLength(lines.length);
});
