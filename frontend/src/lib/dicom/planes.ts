/** The three planes of a volume: from pixels of their pictures to the patient and back. Pure arithmetic, LPS, in mm. */

export const PLANE_NAMES = ['axial', 'coronal', 'sagittal'] as const;
export type PlaneName = (typeof PLANE_NAMES)[number];

export const PROJECTIONS = ['average', 'maximum', 'minimum'] as const;
export type Projection = (typeof PROJECTIONS)[number];

export type Point = readonly [x: number, y: number, z: number];
/** Rows of a 4 × 4 matrix whose last row is 0 0 0 1. */
export type Affine = readonly (readonly number[])[];

/** One plane of a stack, as the API describes it. */
export interface Plane {
  count: number;
  rows: number;
  columns: number;
  row_spacing_mm: number;
  column_spacing_mm: number;
  slice_spacing_mm: number;
  first_position_mm: number;
  orientation_labels: { left: string; right: string; top: string; bottom: string };
  /** From (column, row, index) to the patient. */
  affine: number[][];
}

export type Planes = Record<PlaneName, Plane>;

/** Where a pixel of a plane lies; none of the three numbers need be whole. */
export function apply(affine: Affine, [a, b, c]: Point): Point {
  const of = (row: number) => {
    const [p = 0, q = 0, r = 0, s = 0] = affine[row] ?? [];
    return p * a + q * b + r * c + s;
  };
  return [of(0), of(1), of(2)];
}

/** The matrix that leads back, by the adjugate of the 3 × 3 part. */
export function inverse(affine: Affine): number[][] {
  const [
    [a = 0, b = 0, c = 0, x = 0] = [],
    [d = 0, e = 0, f = 0, y = 0] = [],
    [g = 0, h = 0, i = 0, z = 0] = [],
  ] = affine;
  const determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  const rows = [
    [e * i - f * h, c * h - b * i, b * f - c * e],
    [f * g - d * i, a * i - c * g, c * d - a * f],
    [d * h - e * g, b * g - a * h, a * e - b * d],
  ].map((row) => row.map((value) => value / determinant));
  return [...rows.map(([p = 0, q = 0, r = 0]) => [p, q, r, -(p * x + q * y + r * z)]), [0, 0, 0, 1]];
}

/** The plane through a point, or the nearest one that there is. */
export function indexAt(plane: Plane, point: Point): number {
  const [, , place] = apply(inverse(plane.affine), point);
  return clamp(Math.round(place), plane.count);
}

/** The point moved along the normal of a plane, onto one of its pictures. */
export function movedTo(plane: Plane, point: Point, index: number): Point {
  const [column, row] = apply(inverse(plane.affine), point);
  return apply(plane.affine, [column, row, clamp(Math.round(index), plane.count)]);
}

/** Where a picture lies along the normal of its plane. */
export function positionMm(plane: Plane, index: number): number {
  return plane.first_position_mm + index * plane.slice_spacing_mm;
}

/** The first and the last plane of a slab: those whose middle lies within half its thickness, as on the server. */
export function slabRange(plane: Plane, index: number, slabMm: number): [first: number, last: number] {
  const reach = Math.floor(slabMm / 2 / plane.slice_spacing_mm + 1e-6);
  return [Math.max(0, index - reach), Math.min(plane.count - 1, index + reach)];
}

/** The point in the middle of the volume. */
export function middleOf(planes: Planes): Point {
  const { columns, rows, count, affine } = planes.axial;
  return apply(affine, [(columns - 1) / 2, (rows - 1) / 2, Math.floor(count / 2)]);
}

/** Keeps a point within the pictures of all planes. */
export function within(planes: Planes, point: Point): Point {
  const { columns, rows, count, affine } = planes.axial;
  const [column, row, index] = apply(inverse(affine), point);
  const bound = (value: number, last: number) => Math.max(0, Math.min(value, last));
  return apply(affine, [bound(column, columns - 1), bound(row, rows - 1), bound(index, count - 1)]);
}

function clamp(index: number, count: number): number {
  return Math.max(0, Math.min(index, count - 1));
}
