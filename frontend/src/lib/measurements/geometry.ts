/** Lengths, angles and areas from points on an image. Pure; points are columns and rows, never changed. */
import type { ImagePoint } from '$lib/viewer/types';

/** Between rows and between columns, in any unit. */
export type Spacing = readonly [row: number, column: number];
export type Vector = readonly [column: number, row: number];

export const PIXELS: Spacing = [1, 1];

export const add = (point: ImagePoint, by: Vector): ImagePoint => [point[0] + by[0], point[1] + by[1]];

export const between = (from: ImagePoint, to: ImagePoint): Vector => [to[0] - from[0], to[1] - from[1]];

export const scaled = (vector: Vector, factor: number): Vector => [vector[0] * factor, vector[1] * factor];

export const middle = (one: ImagePoint, other: ImagePoint): ImagePoint => [
  (one[0] + other[0]) / 2,
  (one[1] + other[1]) / 2,
];

/** A vector of the image in the unit of the spacing, where lengths and angles are true. */
export const truly = ([column, row]: Vector, [ofRow, ofColumn]: Spacing): Vector => [
  column * ofColumn,
  row * ofRow,
];

/** The other way: from the unit of the spacing to columns and rows. */
export const onImage = ([x, y]: Vector, [ofRow, ofColumn]: Spacing): Vector => [x / ofColumn, y / ofRow];

export function lengthOf(from: ImagePoint, to: ImagePoint, spacing: Spacing): number {
  return Math.hypot(...truly(between(from, to), spacing));
}

/** At `vertex`, 0° to 180°; null where two points coincide. */
export function angleAt(
  vertex: ImagePoint,
  one: ImagePoint,
  other: ImagePoint,
  spacing: Spacing,
): number | null {
  return angleBetween(truly(between(vertex, one), spacing), truly(between(vertex, other), spacing));
}

/** Between two lines, which have no direction: 0° to 90°; null where a line has no length. */
export function cobbAngle(points: readonly ImagePoint[], spacing: Spacing): number | null {
  const [a, b, c, d] = points;
  if (!a || !b || !c || !d) return null;
  const angle = angleBetween(truly(between(a, b), spacing), truly(between(c, d), spacing));
  return angle === null ? null : Math.min(angle, 180 - angle);
}

/** By the arctangent: the arccosine loses the digits of small angles. */
function angleBetween(one: Vector, other: Vector): number | null {
  if (Math.hypot(...one) === 0 || Math.hypot(...other) === 0) return null;
  return (Math.atan2(Math.abs(cross(one, other)), dot(one, other)) * 180) / Math.PI;
}

export const cross = (one: Vector, other: Vector) => one[0] * other[1] - one[1] * other[0];

export const dot = (one: Vector, other: Vector) => one[0] * other[0] + one[1] * other[1];

/** Centre and half axes of an ellipse that the ends of two axes give. */
export function ellipseOf(
  points: readonly ImagePoint[],
): { center: ImagePoint; axes: [Vector, Vector] } | null {
  const [a, b, c, d] = points;
  if (!a || !b || !c || !d) return null;
  return {
    center: middle(middle(a, b), middle(c, d)),
    axes: [scaled(between(a, b), 0.5), scaled(between(c, d), 0.5)],
  };
}
