/**
 * Statistics over a region. A pixel belongs to it when its centre lies inside or on its border, as a point, whatever
 * part of the pixel's square does; padding never does. The standard deviation is that of the population (the sum of
 * squares is divided by the number of pixels). The area is that of the drawn shape, not of the pixels counted.
 */
import type { ImagePoint, SliceValues } from '$lib/viewer/types';
import { cross, ellipseOf, between } from './geometry';

export interface RegionStatistics {
  count: number;
  mean: number;
  standardDeviation: number;
  minimum: number;
  maximum: number;
}

export type Inside = (column: number, row: number) => boolean;

/** Points so near the border are on it: decimals of a drawn point do not say more. */
const ON_BORDER = 1e-9;

/** In square pixels, whatever their proportion. */
export function areaOf(kind: 'rectangle' | 'ellipse', points: readonly ImagePoint[]): number {
  if (kind === 'rectangle') return areaOfPolygon(points);
  const ellipse = ellipseOf(points);
  return ellipse ? Math.PI * Math.abs(cross(...ellipse.axes)) : 0;
}

function areaOfPolygon(points: readonly ImagePoint[]): number {
  const twice = points.reduce(
    (sum, point, i) => sum + cross(point, points[(i + 1) % points.length] ?? point),
    0,
  );
  return Math.abs(twice) / 2;
}

export function insideOf(kind: 'rectangle' | 'ellipse', points: readonly ImagePoint[]): Inside {
  return kind === 'rectangle' ? insideRectangle(points) : insideEllipse(points);
}

function insideRectangle(points: readonly ImagePoint[]): Inside {
  const edges = points.map((from, i) => ({
    from,
    along: between(from, points[(i + 1) % points.length] ?? from),
  }));
  return (column, row) => {
    const sides = edges.map(({ from, along }) => cross(along, between(from, [column, row])));
    return sides.every((side) => side >= -ON_BORDER) || sides.every((side) => side <= ON_BORDER);
  };
}

function insideEllipse(points: readonly ImagePoint[]): Inside {
  const ellipse = ellipseOf(points);
  if (!ellipse) return () => false;
  const { center, axes } = ellipse;
  const [one, other] = axes;
  const determinant = cross(one, other);
  if (determinant === 0) return () => false;
  return (column, row) => {
    const from = between(center, [column, row]);
    return Math.hypot(cross(from, other) / determinant, cross(one, from) / determinant) <= 1 + ON_BORDER;
  };
}

/** Null where no pixel of the picture lies inside. */
export function statisticsOf(
  kind: 'rectangle' | 'ellipse',
  points: readonly ImagePoint[],
  slice: SliceValues,
): RegionStatistics | null {
  const found = [...valuesInside(kind, points, slice)];
  if (found.length === 0) return null;
  // In two passes: the differences from the mean keep their digits.
  const mean = found.reduce((sum, value) => sum + value, 0) / found.length;
  const squares = found.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    count: found.length,
    mean,
    standardDeviation: Math.sqrt(squares / found.length),
    minimum: found.reduce((least, value) => Math.min(least, value), Infinity),
    maximum: found.reduce((most, value) => Math.max(most, value), -Infinity),
  };
}

function* valuesInside(
  kind: 'rectangle' | 'ellipse',
  points: readonly ImagePoint[],
  { rows, columns, values, padding }: SliceValues,
): Generator<number> {
  const isInside = insideOf(kind, points);
  const [left, right] = reach(points, 0, kind, columns);
  const [top, bottom] = reach(points, 1, kind, rows);
  for (let row = top; row <= bottom; row++) {
    for (let column = left; column <= right; column++) {
      if (!isInside(column, row)) continue;
      const value = values[row * columns + column];
      if (value === undefined || !Number.isFinite(value)) continue;
      if (!padding || value < padding.low || value > padding.high) yield value;
    }
  }
}

/** First and last pixel that the shape can reach on one axis. */
function reach(points: readonly ImagePoint[], axis: 0 | 1, kind: string, size: number): [number, number] {
  let low = Math.min(...points.map((point) => point[axis]));
  let high = Math.max(...points.map((point) => point[axis]));
  const ellipse = kind === 'ellipse' ? ellipseOf(points) : null;
  if (ellipse) {
    // Of an ellipse that is turned, the ends of the axes are not the outermost points.
    const half = Math.hypot(ellipse.axes[0][axis], ellipse.axes[1][axis]);
    [low, high] = [ellipse.center[axis] - half, ellipse.center[axis] + half];
  }
  return [Math.max(0, Math.ceil(low - ON_BORDER)), Math.min(size - 1, Math.floor(high + ON_BORDER))];
}
