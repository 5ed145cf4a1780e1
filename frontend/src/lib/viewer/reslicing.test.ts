import { describe, expect, it } from 'vitest';
import type { Planes, PlaneName, Projection } from '$lib/dicom/planes';
import samples from './planeSamples.json';
import { cutPlane, type Slices } from './reslicing';

interface Sample {
  name: string;
  rows: number;
  columns: number;
  count: number;
  affine: number[][];
  values: number[][][];
  padding: { low: number; high: number };
  planes: Planes;
  cuts: { plane: PlaneName; slab: [number, number]; projection: Projection; values: (number | null)[][] }[];
}

function slicesOf({ rows, columns, count, affine, values, padding }: Sample): Slices {
  return {
    rows,
    columns,
    count,
    affine,
    values: (slice) => Int16Array.from(values[slice]?.flat() ?? []),
    padding: () => padding,
  };
}

describe('planes cut in the browser', () => {
  // Written by backend/tests/repository/test_plane_samples.py: one geometry here and there.
  for (const sample of samples as unknown as Sample[]) {
    it(`are those of the server: ${sample.name}`, () => {
      for (const { plane, slab, projection, values } of sample.cuts) {
        const found = cutPlane(slicesOf(sample), sample.planes[plane], slab, projection);
        const expected = values.flat();
        expect(found.length).toBe(expected.length);
        const differing = [...found].filter((value, at) => {
          const wanted = expected[at] ?? null;
          return wanted === null ? !Number.isNaN(value) : !(Math.abs(value - wanted) < 0.01);
        });
        expect({ plane, slab, projection, differing }).toEqual({ plane, slab, projection, differing: [] });
      }
    });
  }

  it('leave out slices that are not here yet', () => {
    const [sample] = samples as unknown as [Sample];
    const slices = slicesOf(sample);
    const found = cutPlane(
      { ...slices, values: (slice) => (slice === 0 ? slices.values(0) : undefined) },
      sample.planes.coronal,
      [1, 1],
      'average',
    );
    // The head is on top: only the lowest rows, nearest to the first slice, have values.
    const { rows, columns } = sample.planes.coronal;
    expect(found.slice(0, columns).every(Number.isNaN)).toBe(true);
    expect(found.slice((rows - 1) * columns).some(Number.isNaN)).toBe(false);
  });
});
