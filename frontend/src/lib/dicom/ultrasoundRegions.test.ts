import { describe, expect, it } from 'vitest';
import { readUltrasoundRegions } from './ultrasoundRegions';

const NUMBERS = {
  '00186012': 1,
  '00186018': 10,
  '0018601A': 20,
  '0018601C': 409,
  '0018601E': 319,
  '00186024': 3,
  '00186026': 3,
  '0018602C': 0.02,
  '0018602E': 0.03,
};

const image = (...regions: Record<string, number | undefined>[]) => ({
  '00186011': {
    vr: 'SQ',
    Value: regions.map((changes) =>
      Object.fromEntries(
        Object.entries({ ...NUMBERS, ...changes })
          .filter(([, value]) => value !== undefined)
          .map(([tag, value]) => [tag, { vr: 'UL', Value: [value] }]),
      ),
    ),
  },
});

describe('regions of ultrasound', () => {
  it('have their place and mm from row to row and column to column', () => {
    const [region, ...others] = readUltrasoundRegions(image({}));
    expect(others).toEqual([]);
    expect(region).toMatchObject({ left: 10, top: 20, right: 409, bottom: 319 });
    expect(region?.spacingMm?.[0]).toBeCloseTo(0.3, 12);
    expect(region?.spacingMm?.[1]).toBeCloseTo(0.2, 12);
  });

  it('have lengths also where the picture runs against its axis', () => {
    expect(readUltrasoundRegions(image({ '0018602E': -0.03 }))[0]?.spacingMm?.[0]).toBeCloseTo(0.3, 12);
  });

  it.each([
    ['spectral Doppler', { '00186012': 3 }],
    ['M-mode', { '00186012': 2 }],
    ['seconds', { '00186024': 4 }],
    ['cm/s', { '00186026': 7 }],
    ['no delta', { '0018602C': undefined }],
    ['a delta of nothing', { '0018602C': 0 }],
  ])('have none: %s', (_name, changes) => {
    expect(readUltrasoundRegions(image(changes))).toMatchObject([{ spacingMm: null }]);
  });

  it('without a place are left out', () => {
    expect(readUltrasoundRegions(image({ '0018601C': undefined }, {}))).toHaveLength(1);
  });

  it('are none of other images', () => {
    expect(readUltrasoundRegions({})).toEqual([]);
    expect(readUltrasoundRegions({ '00186011': { vr: 'SQ' } })).toEqual([]);
    expect(readUltrasoundRegions({ '00186011': { vr: 'SQ', Value: [null] } })).toEqual([]);
  });
});
