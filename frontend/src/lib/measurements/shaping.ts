/** How shapes come to be under the hand: from the points that are placed, and when one of their handles is moved. */
import type { ImagePoint } from '$lib/viewer/types';
import {
  add,
  between,
  dot,
  lengthOf,
  middle,
  onImage,
  PIXELS,
  scaled,
  truly,
  type Spacing,
  type Vector,
} from './geometry';
import type { MeasurementKind } from './types';

/** How many points a person places; the others follow from them. */
export const PLACED: Record<MeasurementKind, number> = {
  length: 2,
  angle: 3,
  cobb: 4,
  rectangle: 2,
  ellipse: 2,
  arrow: 2,
  bidirectional: 2,
};

/** Shorter than this in both directions is a click, not a shape; in pixels of the image. */
const LEAST_SIZE = 0.01;

/** All points of a measurement from those that were placed; fewer while it is being drawn. */
export function shapeOf(
  kind: MeasurementKind,
  placed: readonly ImagePoint[],
  spacing: Spacing,
): readonly ImagePoint[] {
  const [a, b] = placed;
  if (!a || !b) return placed;
  if (kind === 'rectangle') return cornersOf(a, b);
  if (kind === 'ellipse') {
    const [left, top, right, bottom] = edgesOf(a, b);
    const [column, row] = middle(a, b);
    return [
      [left, row],
      [right, row],
      [column, top],
      [column, bottom],
    ];
  }
  if (kind === 'bidirectional') return [a, b, ...shortAxisOf(a, b, spacing, 0.5, [0.25, -0.25])];
  return placed;
}

export function isDrawn(kind: MeasurementKind, points: readonly ImagePoint[]): boolean {
  const [a, b, c, d] = points;
  const apart = (one?: ImagePoint, other?: ImagePoint) =>
    one !== undefined && other !== undefined && lengthOf(one, other, PIXELS) > LEAST_SIZE;
  if (kind === 'angle') return apart(a, b) && apart(b, c);
  if (kind === 'cobb' || kind === 'ellipse') return apart(a, b) && apart(c, d);
  if (kind === 'rectangle') return apart(a, b) && apart(b, c);
  return apart(a, b);
}

/** The same shape after one of its points was moved. */
export function withHandleAt(
  kind: MeasurementKind,
  points: readonly ImagePoint[],
  handle: number,
  to: ImagePoint,
  spacing: Spacing,
): readonly ImagePoint[] {
  if (kind === 'rectangle') {
    const opposite = points[(handle + 2) % 4];
    return opposite ? fromCorner(opposite, to, handle) : points;
  }
  if (kind === 'ellipse') return moveEllipse(points, handle, to);
  if (kind === 'bidirectional') return moveAxes(points, handle, to, spacing);
  return points.map((point, i) => (i === handle ? to : point));
}

export const moved = (points: readonly ImagePoint[], by: Vector): readonly ImagePoint[] =>
  points.map((point) => add(point, by));

const edgesOf = (a: ImagePoint, b: ImagePoint) =>
  [Math.min(a[0], b[0]), Math.min(a[1], b[1]), Math.max(a[0], b[0]), Math.max(a[1], b[1])] as const;

/** In order around, along the rows and columns of the image. */
const cornersOf = (a: ImagePoint, b: ImagePoint): readonly ImagePoint[] => [a, [b[0], a[1]], b, [a[0], b[1]]];

function fromCorner(opposite: ImagePoint, to: ImagePoint, handle: number): readonly ImagePoint[] {
  const inRow: ImagePoint = [opposite[0], to[1]];
  const inColumn: ImagePoint = [to[0], opposite[1]];
  const [next, previous] = handle % 2 === 0 ? [inRow, inColumn] : [inColumn, inRow];
  const corners: ImagePoint[] = [];
  [to, next, opposite, previous].forEach((point, i) => (corners[(handle + i) % 4] = point));
  return corners;
}

/** The opposite end stays; the other axis keeps its length and goes along with the centre. */
function moveEllipse(points: readonly ImagePoint[], handle: number, to: ImagePoint): readonly ImagePoint[] {
  const partner = handle ^ 1;
  const [own, opposite] = [points[handle], points[partner]];
  if (!own || !opposite) return points;
  const axis = between(opposite, own);
  const length = dot(axis, axis);
  if (length === 0) return points;
  // Only along the axis, so that the axes stay perpendicular on the image.
  const share = dot(between(opposite, to), axis) / length;
  const end = add(opposite, scaled(axis, share));
  const by = scaled(between(own, end), 0.5);
  return points.map((point, i) => (i === handle ? end : i === partner ? point : add(point, by)));
}

/** Ends of the short axis: perpendicular to the long one in the patient, at a share of its length from its start. */
function shortAxisOf(
  a: ImagePoint,
  b: ImagePoint,
  spacing: Spacing,
  along: number,
  heights: readonly [number, number],
): readonly ImagePoint[] {
  const axis = truly(between(a, b), spacing);
  const normal: Vector = [-axis[1], axis[0]];
  const foot = add(a, scaled(between(a, b), along));
  return heights.map((height) => add(foot, onImage(scaled(normal, height), spacing)));
}

/** Where the short axis crosses, and how far its ends reach: as shares of the long axis. */
function readAxes([a, b, c, d]: readonly ImagePoint[], spacing: Spacing) {
  if (!a || !b || !c || !d) return null;
  const axis = truly(between(a, b), spacing);
  const square = dot(axis, axis);
  if (square === 0) return null;
  const normal: Vector = [-axis[1], axis[0]];
  const share = (point: ImagePoint, direction: Vector) =>
    dot(truly(between(a, point), spacing), direction) / square;
  return {
    along: share(c, axis),
    heights: [share(c, normal), share(d, normal)] as [number, number],
    of: (point: ImagePoint) => ({ along: share(point, axis), height: share(point, normal) }),
  };
}

/** Moving the long axis takes the short one along; an end of the short axis moves both along and across. */
function moveAxes(
  points: readonly ImagePoint[],
  handle: number,
  to: ImagePoint,
  spacing: Spacing,
): readonly ImagePoint[] {
  const axes = readAxes(points, spacing);
  const [a, b] = points;
  if (!axes || !a || !b) return points;
  if (handle < 2) {
    const [from, end] = handle === 0 ? [to, b] : [a, to];
    return [from, end, ...shortAxisOf(from, end, spacing, axes.along, axes.heights)];
  }
  const { along, height } = axes.of(to);
  const heights: [number, number] = handle === 2 ? [height, axes.heights[1]] : [axes.heights[0], height];
  return [a, b, ...shortAxisOf(a, b, spacing, Math.min(Math.max(along, 0), 1), heights)];
}
