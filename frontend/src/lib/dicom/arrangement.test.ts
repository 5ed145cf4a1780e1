import { describe, expect, it } from 'vitest';
import type { Stack, VolumeDetail } from '$lib/api/types';
import {
  describePosition,
  describeStack,
  describeWindowInUse,
  millimetres,
  neighboursOf,
  otherPatientRemark,
  placeOf,
} from './arrangement';

describe('describePosition', () => {
  it('counts from one and says by what', () => {
    expect(describePosition(32, 64, 'position')).toBe('Slice 33 of 64, ordered by position');
    expect(describePosition(0, 5, 'instance_number')).toBe('Slice 1 of 5, ordered by instance number');
  });

  it('claims no order that is not known, or that one slice cannot have', () => {
    expect(describePosition(32, 64, null)).toBe('Slice 33 of 64');
    expect(describePosition(0, 1, 'position')).toBe('Slice 1 of 1');
  });
});

describe('describeWindowInUse', () => {
  const brain = { center: 40, width: 80, function: 'LINEAR', explanation: 'BRAIN' };
  const window = (source: string, center = 40) => ({ center, width: 80, source });

  it('names values, name and source', () => {
    expect(describeWindowInUse(window('file'), [brain])).toBe('W 80 L 40 · BRAIN · from the file');
    expect(describeWindowInUse(window('file', -600.4), [brain])).toBe('W 80 L −600 · from the file');
    expect(describeWindowInUse(window('request'), [brain])).toBe('W 80 L 40 · BRAIN · from the file');
    expect(describeWindowInUse(window('request', 50), [brain])).toBe('W 80 L 50 · chosen');
  });

  it('says that a window was guessed', () => {
    expect(describeWindowInUse(window('guessed'), [])).toBe('W 80 L 40 · guessed from the pixels');
  });

  it('says nothing where there is no window, as in a colour picture', () => {
    expect(describeWindowInUse(null, [])).toBeNull();
  });
});

describe('millimetres', () => {
  it.each([
    [-12.5, '−12.5 mm'],
    [0, '0.0 mm'],
    [-0.01, '0.0 mm'],
    [null, null],
  ])('writes %s as %s', (value, text) => {
    expect(millimetres(value)).toBe(text);
  });
});

describe('describeStack', () => {
  it('says what sets it apart, else its number', () => {
    expect(describeStack({ stack: 1, differs_by: 'coronal' } as Stack)).toBe('Coronal');
    expect(describeStack({ stack: 1, differs_by: null } as Stack)).toBe('Stack 2');
  });
});

describe('neighboursOf', () => {
  it('takes those that the server names', () => {
    expect(neighboursOf({ neighbours: [{ index: 30 }, { index: 35 }] }, 32, 64)).toEqual([30, 35]);
  });

  it('takes the ones on either side otherwise', () => {
    expect(neighboursOf({}, 32, 64)).toEqual([31, 33]);
    expect(neighboursOf({}, 0, 64)).toEqual([1]);
    expect(neighboursOf({}, 63, 64)).toEqual([62]);
    expect(neighboursOf({}, null, 0)).toEqual([]);
  });
});

describe('otherPatientRemark', () => {
  const detail = (...codes: string[]) =>
    ({ excluded: codes.map((code) => ({ code, message: `What ${code} means.` })) }) as VolumeDetail;

  it('is what the server says of images of another patient, and of nothing else', () => {
    expect(otherPatientRemark(detail('other_size', 'other_patient'))).toBe('What other_patient means.');
    expect(otherPatientRemark(detail('other_size'))).toBeNull();
    expect(otherPatientRemark(null)).toBeNull();
  });
});

describe('placeOf', () => {
  it('reads the place of the slice that a problem speaks of', () => {
    expect(placeOf({ index: 32, count: 64 })).toEqual({ index: 32, count: 64 });
    expect(placeOf({ index: '32' })).toBeNull();
    expect(placeOf(undefined)).toBeNull();
  });
});
