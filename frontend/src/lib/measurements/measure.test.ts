import { describe, expect, it } from 'vitest';
import type { ImagePoint } from '$lib/viewer/types';
import { measure, reasonFor, type MeasuringFacts } from './measure';

/** Expected numbers are worked out by hand: triangles of 3, 4 and 5, and angles of 30°, 45° and 60°. */
const square: MeasuringFacts = {
  spacingMm: [0.5, 0.5],
  spacingSource: 'patient',
  pixelAspectRatio: 1,
  ultrasoundRegions: [],
  isColor: false,
  unit: 'HU',
};
/** Rows 2 mm apart, columns 1 mm. */
const tall: MeasuringFacts = { ...square, spacingMm: [2, 1], pixelAspectRatio: 2 };
const unknown: MeasuringFacts = { ...square, spacingMm: null, spacingSource: null };
const at = (...points: [number, number][]): ImagePoint[] => points;

describe('a length', () => {
  it('is in mm', () => {
    expect(measure('length', at([10, 10], [16, 18]), square, null)).toEqual({
      length_mm: 5,
      calibration: 'patient',
    });
  });

  it('takes rows and columns by their own distances', () => {
    expect(measure('length', at([0, 0], [3, 2]), tall, null).length_mm).toBe(5);
    expect(measure('length', at([0, 0], [0, 2]), tall, null).length_mm).toBe(4);
    expect(measure('length', at([0, 0], [2, 0]), tall, null).length_mm).toBe(2);
  });

  it('is never in mm where no spacing is known', () => {
    const points = at([0, 0], [3, 4]);
    expect(measure('length', points, unknown, null)).toEqual({ length_px: 5, calibration: 'none' });
    expect(reasonFor('length', points, unknown)).toBe('noSpacing');
  });

  it.each(['detector', 'calibrated'] as const)('says where it holds: %s', (spacingSource) => {
    const facts = { ...square, spacingSource };
    expect(measure('length', at([0, 0], [2, 0]), facts, null)).toEqual({
      length_mm: 1,
      calibration: spacingSource,
    });
  });
});

describe('an angle', () => {
  it.each([
    [at([10, 0], [0, 0], [0, 10]), 90],
    [at([10, 0], [0, 0], [10, 10]), 45],
    [at([10, 0], [0, 0], [-10, 0]), 180],
    [at([10, 0], [0, 0], [-10, 10]), 135],
  ])('%j is %d°', (points, angle) => {
    expect(measure('angle', points, square, null).angle_degrees).toBeCloseTo(angle, 10);
  });

  it('is that in the patient where pixels are not square', () => {
    // 2 columns of 1 mm, 1 row of 2 mm: 45° in the patient, not the 26.6° of the grid
    expect(measure('angle', at([2, 0], [0, 0], [2, 1]), tall, null).angle_degrees).toBeCloseTo(45, 10);
  });

  it('takes the proportion of pixels where only that is known', () => {
    const facts = { ...unknown, pixelAspectRatio: 2 };
    expect(measure('angle', at([2, 0], [0, 0], [2, 1]), facts, null).angle_degrees).toBeCloseTo(45, 10);
  });

  it('is none where two points coincide', () => {
    expect(measure('angle', at([1, 1], [1, 1], [2, 2]), square, null)).toEqual({});
  });
});

describe('a Cobb angle', () => {
  const first: [number, number][] = [
    [0, 0],
    [10, 0],
  ];
  const slope = Math.tan(Math.PI / 6) * 10;
  it('is that between two lines, whichever way they were drawn', () => {
    const lines = [
      at(...first, [0, 20], [10, 20 + slope]),
      at(...first, [10, 20 + slope], [0, 20]),
      at(...first, [0, 20 + slope], [10, 20]),
    ];
    for (const points of lines) {
      expect(measure('cobb', points, square, null).angle_degrees).toBeCloseTo(30, 10);
    }
  });

  it('is 0 of parallel lines', () => {
    expect(measure('cobb', at(...first, [3, 9], [30, 9]), square, null).angle_degrees).toBe(0);
  });
});

describe('bidirectional', () => {
  it('calls the longer one the long axis, whichever was drawn first', () => {
    const [long, short] = [at([0, 0], [20, 0]), at([10, -3], [10, 3])];
    const expected = { long_axis_mm: 10, short_axis_mm: 3, calibration: 'patient' };
    expect(measure('bidirectional', [...long, ...short], square, null)).toEqual(expected);
    expect(measure('bidirectional', [...short, ...long], square, null)).toEqual(expected);
  });

  it('is in pixels where no spacing is known', () => {
    const points = at([0, 0], [20, 0], [10, -3], [10, 3]);
    expect(measure('bidirectional', points, unknown, null)).toEqual({
      long_axis_px: 20,
      short_axis_px: 6,
      calibration: 'none',
    });
  });
});

describe('a region', () => {
  const box = at([0, 0], [3, 0], [3, 1], [0, 1]);
  const slice = {
    sopInstanceUid: '1.2',
    frameNumber: 1,
    rows: 2,
    columns: 4,
    values: [1, 2, 3, 4, 5, 6, 7, 8],
    padding: null,
  };

  it('has its area in mm² and the statistics of its values', () => {
    // mean 4.5; the mean of the squared differences of 1 … 8 is 5.25
    expect(measure('rectangle', box, tall, slice)).toEqual({
      area_mm2: 6,
      calibration: 'patient',
      pixel_count: 8,
      mean: 4.5,
      standard_deviation: Math.sqrt(5.25),
      minimum: 1,
      maximum: 8,
      value_unit: 'HU',
    });
  });

  it('has its area in px² where no spacing is known', () => {
    expect(measure('rectangle', box, unknown, slice)).toMatchObject({ area_px2: 3, calibration: 'none' });
  });

  it('has no statistics of colours, nor before the values are there', () => {
    expect(measure('rectangle', box, { ...square, isColor: true }, slice)).not.toHaveProperty('mean');
    expect(measure('rectangle', box, square, null)).not.toHaveProperty('mean');
  });

  it('names no unit where none is known', () => {
    expect(measure('rectangle', box, { ...square, unit: null }, slice)).not.toHaveProperty('value_unit');
  });
});

describe('ultrasound', () => {
  const picture = { left: 0, top: 0, right: 99, bottom: 99, spacingMm: [0.2, 0.1] as const };
  const doppler = { left: 0, top: 100, right: 99, bottom: 199, spacingMm: null };
  const facts: MeasuringFacts = { ...square, ultrasoundRegions: [picture, doppler] };

  it('takes the scale of the region, not of the image', () => {
    expect(measure('length', at([10, 10], [40, 30]), facts, null)).toEqual({
      length_mm: 5,
      calibration: 'region',
    });
  });

  it.each([
    ['in Doppler or M-mode', at([10, 110], [40, 150]), 'noPicture'],
    ['from one region to another', at([10, 10], [10, 150]), 'severalRegions'],
    ['beside all regions', at([10, 10], [150, 10]), 'severalRegions'],
    ['outside', at([150, 10], [160, 10]), 'outsideRegions'],
  ])('has no mm %s', (_where, points, reason) => {
    const values = measure('length', points, facts, null);
    expect(values).not.toHaveProperty('length_mm');
    expect(values.length_px).toBeGreaterThan(0);
    expect(reasonFor('length', points, facts)).toBe(reason);
  });

  it('has no angle where an axis is time', () => {
    const points = at([10, 110], [20, 120], [30, 110]);
    expect(measure('angle', points, facts, null)).toEqual({});
    expect(reasonFor('angle', points, facts)).toBe('noPicture');
  });

  it('lets a region lie over another', () => {
    const inset = { left: 10, top: 10, right: 20, bottom: 20, spacingMm: [1, 1] as const };
    const with2 = { ...facts, ultrasoundRegions: [picture, inset] };
    expect(measure('length', at([11, 11], [14, 15]), with2, null).length_mm).toBe(5);
  });
});

it('measures nothing of an arrow', () => {
  expect(measure('arrow', at([0, 0], [3, 4]), square, null)).toEqual({});
  expect(reasonFor('arrow', at([0, 0], [3, 4]), unknown)).toBeNull();
});
