import { describe, expect, it } from 'vitest';
import { calibrationText, nameOf, valueLines } from './words';

describe('a value', () => {
  it.each([
    ['length', { length_mm: 12.345, calibration: 'patient' }, ['12.3 mm']],
    ['length', { length_mm: 12.345, calibration: 'detector' }, ['12.3 mm at the detector']],
    ['length', { length_px: 40, calibration: 'none' }, ['40.0 px']],
    ['angle', { angle_degrees: 45.04 }, ['45.0°']],
    ['cobb', {}, ['No angle here']],
    [
      'bidirectional',
      { long_axis_mm: 20, short_axis_mm: 8.5, calibration: 'calibrated' },
      ['20.0 mm × 8.5 mm calibrated'],
    ],
    ['arrow', {}, []],
  ] as const)('of %s: %j', (kind, values, expected) => {
    expect(valueLines({ kind, values })).toEqual(expected);
  });

  it('of a region tells statistics first, and the area', () => {
    const values = {
      area_mm2: 1234.56,
      calibration: 'patient',
      pixel_count: 400,
      mean: -725.25,
      standard_deviation: 29.247,
      minimum: -1024,
      maximum: 50,
      value_unit: 'HU',
    } as const;
    expect(valueLines({ kind: 'ellipse', values })).toEqual([
      'Mean −725.3 HU, SD 29.25',
      '−1024 to 50',
      'Area 1,234.6 mm²',
    ]);
    expect(valueLines({ kind: 'ellipse', values: { area_px2: 4, calibration: 'none' } })).toEqual([
      'Area 4.0 px²',
    ]);
  });
});

it('goes by its name, else by its kind', () => {
  expect(nameOf({ kind: 'cobb', label: '' })).toBe('Cobb angle');
  expect(nameOf({ kind: 'cobb', label: 'T5 to T12' })).toBe('T5 to T12');
});

it('says what mm rest on where that is not the patient', () => {
  expect(calibrationText({ kind: 'length', values: { length_mm: 1, calibration: 'patient' } })).toBe('');
  expect(calibrationText({ kind: 'length', values: { length_mm: 1, calibration: 'detector' } })).toContain(
    'detector',
  );
  expect(calibrationText({ kind: 'length', values: { length_px: 1, calibration: 'none' } })).toContain(
    'pixels',
  );
});
