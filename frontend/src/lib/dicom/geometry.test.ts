import { describe, expect, it } from 'vitest';
import type { Stack } from '$lib/api/types';
import { fitWithin, needsHardEdges, scaleBar, trueProportion } from './geometry';

const stack = (members: Partial<Stack>): Stack => ({
  stack: 0,
  count: 1,
  rows: 256,
  columns: 256,
  row_spacing_mm: 1,
  column_spacing_mm: 1,
  slice_spacing_mm: null,
  orientation_labels: null,
  pixel_aspect_ratio: 1,
  differs_by: null,
  middle: null,
  ...members,
});

describe('trueProportion', () => {
  it('is the picture’s own where pixels are square', () => {
    expect(trueProportion({ width: 640, height: 480 }, 1)).toBeCloseTo(4 / 3);
    expect(trueProportion({ width: 640, height: 480 }, null)).toBeCloseTo(4 / 3);
  });

  it('makes a picture of tall pixels taller', () => {
    // Pixels twice as high as wide: 100 × 100 of them are as high as 200 square ones.
    expect(trueProportion({ width: 100, height: 100 }, 2)).toBeCloseTo(0.5);
  });
});

describe('fitWithin', () => {
  it('touches the nearer pair of edges', () => {
    expect(fitWithin({ width: 1000, height: 500 }, 1)).toEqual({ width: 500, height: 500 });
    expect(fitWithin({ width: 300, height: 500 }, 1)).toEqual({ width: 300, height: 300 });
    expect(fitWithin({ width: 400, height: 400 }, 2)).toEqual({ width: 400, height: 200 });
  });
});

describe('needsHardEdges', () => {
  it('keeps moderate enlargement smooth and shows the pixels of a tiny picture', () => {
    expect(needsHardEdges({ width: 800, height: 800 }, { width: 512, height: 512 }, 1)).toBe(false);
    expect(needsHardEdges({ width: 800, height: 800 }, { width: 64, height: 64 }, 1)).toBe(true);
  });
});

describe('scaleBar', () => {
  it('is the longest round length that fits', () => {
    // 256 mm across 512 px: 2 px per mm, so 100 mm would take 200 px and 50 mm take 100 px.
    expect(scaleBar({ width: 512, height: 512 }, stack({}), 120)).toEqual({ length: 100, label: '5 cm' });
  });

  it('speaks of millimetres below one centimetre', () => {
    const fine = stack({ columns: 100, column_spacing_mm: 0.1 });
    // 10 mm across 500 px: 50 px per mm.
    expect(scaleBar({ width: 500, height: 500 }, fine, 120)).toEqual({ length: 100, label: '2 mm' });
  });

  it('is left out where the file gives no spacing', () => {
    expect(scaleBar({ width: 512, height: 512 }, stack({ column_spacing_mm: null }), 120)).toBeNull();
    expect(scaleBar({ width: 512, height: 512 }, null, 120)).toBeNull();
  });
});
