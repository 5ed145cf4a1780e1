import { describe, expect, it } from 'vitest';
import { apply, indexAt, inverse, middleOf, movedTo, slabRange, within, type Planes } from './planes';

const labels = { left: '', right: '', top: '', bottom: '' };
const plane = (count: number, rows: number, columns: number, spacing: number, affine: number[][]) => ({
  count,
  rows,
  columns,
  row_spacing_mm: 0.5,
  column_spacing_mm: 0.5,
  slice_spacing_mm: spacing,
  first_position_mm: 0,
  orientation_labels: labels,
  affine,
});
const END = [0, 0, 0, 1];

/** 8 × 8 pixels of 0.5 mm, 5 slices 2 mm apart; as the server describes them. */
const PLANES: Planes = {
  axial: plane(5, 8, 8, 2, [[0.5, 0, 0, 0], [0, 0.5, 0, 0], [0, 0, 2, -10], END]),
  coronal: plane(8, 17, 8, 0.5, [[0.5, 0, 0, 0], [0, 0, 0.5, 0], [0, -0.5, 0, -2], END]),
  sagittal: plane(8, 17, 8, 0.5, [[0, 0, -0.5, 3.5], [0.5, 0, 0, 0], [0, -0.5, 0, -2], END]),
};

describe('planes of a volume', () => {
  it('lead from pixels to the patient and back', () => {
    const oblique = [[0.4, 0.1, 0.3, 7], [-0.1, 0.5, 0.2, -3], [0.2, -0.3, 1.5, 11], END];
    const back = apply(inverse(oblique), apply(oblique, [3, -4, 5.5]));
    [3, -4, 5.5].forEach((value, i) => expect(back[i]).toBeCloseTo(value, 9));
  });

  it('meet in one point', () => {
    const point = [1, 2, -6] as const;
    expect(indexAt(PLANES.axial, point)).toBe(2);
    expect(indexAt(PLANES.coronal, point)).toBe(4);
    expect(indexAt(PLANES.sagittal, point)).toBe(5);
  });

  it('stop at their ends', () => {
    expect(indexAt(PLANES.axial, [0, 0, 99])).toBe(4);
    expect(within(PLANES, [99, -99, 0])).toEqual([3.5, 0, -2]);
  });

  it('move the point along their normal only', () => {
    expect(movedTo(PLANES.coronal, [1, 2, -6], 6)).toEqual([1, 3, -6]);
    expect(movedTo(PLANES.sagittal, [1, 2, -6], 0)).toEqual([3.5, 2, -6]);
  });

  it('begin in the middle', () => {
    expect(middleOf(PLANES)).toEqual([1.75, 1.75, -6]);
  });

  it('are projected within half the thickness of a slab', () => {
    expect(slabRange(PLANES.axial, 2, 3.9)).toEqual([2, 2]);
    expect(slabRange(PLANES.axial, 2, 4)).toEqual([1, 3]);
    expect(slabRange(PLANES.axial, 0, 4)).toEqual([0, 1]);
    expect(slabRange(PLANES.coronal, 4, 1)).toEqual([3, 5]);
  });
});
