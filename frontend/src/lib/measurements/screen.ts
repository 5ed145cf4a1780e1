/** From points on an image to what is drawn over it. Screen points are CSS pixels from the corner of the cell. */
import type { ImageCell, ImagePoint } from '$lib/viewer/types';
import { ellipseOf } from './geometry';
import type { MeasurementKind } from './types';

export type ScreenPoint = readonly [x: number, y: number];

/** Turned, flipped, zoomed and stretched, but always in straight lines: x = a·column + c·row + e, and so on. */
export interface ScreenTransform {
  a: number;
  b: number;
  c: number;
  d: number;
  e: number;
  f: number;
}

/** Far apart, so that the differences keep their digits. */
const FAR = 1000;
const ELLIPSE_STEPS = 72;
const [TICK, HEAD] = [5, 11];

/** How a cell shows its picture just now; null where it shows none. */
export function transformOf(
  cell: Pick<ImageCell, 'toClientPoint'>,
  corner: { left: number; top: number },
): ScreenTransform | null {
  const points = (
    [
      [0, 0],
      [FAR, 0],
      [0, FAR],
    ] as const
  ).map((point) => cell.toClientPoint(point));
  const [origin, column, row] = points;
  if (!origin || !column || !row) return null;
  return {
    a: (column[0] - origin[0]) / FAR,
    b: (column[1] - origin[1]) / FAR,
    c: (row[0] - origin[0]) / FAR,
    d: (row[1] - origin[1]) / FAR,
    e: origin[0] - corner.left,
    f: origin[1] - corner.top,
  };
}

export const toScreen = ([column, row]: ImagePoint, t: ScreenTransform): ScreenPoint => [
  t.a * column + t.c * row + t.e,
  t.b * column + t.d * row + t.f,
];

/** The lines of a shape, as the path of an SVG element; complete or while it is being drawn. */
export function pathOf(kind: MeasurementKind, points: readonly ImagePoint[], t: ScreenTransform): string {
  const screen = points.map((point) => toScreen(point, t));
  const [a, b, c, d] = screen;
  if (!a || !b) return '';
  if (kind === 'length') return lines([a, b], tick(a, b), tick(b, a));
  if (kind === 'arrow') return lines([a, b], head(a, b));
  if (kind === 'angle') return lines(screen);
  if (kind === 'ellipse') return `${lines(ellipseOutline(points).map((point) => toScreen(point, t)))}Z`;
  if (kind === 'rectangle') return `${lines(screen)}Z`;
  return lines([a, b], c && d ? [c, d] : c ? [c] : []);
}

/** What belongs together but is no line of its own: from the middle of one line of Cobb's angle to that of the other. */
export function auxiliaryPathOf(
  kind: MeasurementKind,
  points: readonly ImagePoint[],
  t: ScreenTransform,
): string {
  const [a, b, c, d] = points.map((point) => toScreen(point, t));
  if (kind !== 'cobb' || !a || !b || !c || !d) return '';
  return lines([half(a, b), half(c, d)]);
}

/** Where the text goes: beside the point furthest to the end of the line, within the cell. */
export function textPlaceOf(
  points: readonly ScreenPoint[],
  text: { width: number; height: number },
  cell: { width: number; height: number },
): ScreenPoint {
  const last = points.reduce((one, other) => (other[0] > one[0] ? other : one), points[0] ?? [0, 0]);
  const [GAP, EDGE] = [12, 4];
  const x = last[0] + GAP + text.width > cell.width - EDGE ? last[0] - GAP - text.width : last[0] + GAP;
  const clamp = (value: number, most: number) => Math.max(EDGE, Math.min(value, most));
  return [
    clamp(x, cell.width - text.width - EDGE),
    clamp(last[1] - text.height / 2, cell.height - text.height - EDGE),
  ];
}

function ellipseOutline(points: readonly ImagePoint[]): ImagePoint[] {
  const ellipse = ellipseOf(points);
  if (!ellipse) return [];
  const { center, axes } = ellipse;
  return Array.from({ length: ELLIPSE_STEPS }, (_, i) => {
    const [along, across] = [
      Math.cos((2 * Math.PI * i) / ELLIPSE_STEPS),
      Math.sin((2 * Math.PI * i) / ELLIPSE_STEPS),
    ];
    return [
      center[0] + along * axes[0][0] + across * axes[1][0],
      center[1] + along * axes[0][1] + across * axes[1][1],
    ];
  });
}

const half = (one: ScreenPoint, other: ScreenPoint): ScreenPoint => [
  (one[0] + other[0]) / 2,
  (one[1] + other[1]) / 2,
];

/** A short line across the end of a length, so that the end can be seen. */
function tick(end: ScreenPoint, other: ScreenPoint): ScreenPoint[] {
  const [x, y] = direction(end, other);
  return [
    [end[0] - y * TICK, end[1] + x * TICK],
    [end[0] + y * TICK, end[1] - x * TICK],
  ];
}

function head(tip: ScreenPoint, tail: ScreenPoint): ScreenPoint[] {
  const [x, y] = direction(tip, tail);
  const wing = (side: number): ScreenPoint => [
    tip[0] + HEAD * (x - side * y * 0.5),
    tip[1] + HEAD * (y + side * x * 0.5),
  ];
  return [wing(1), tip, wing(-1)];
}

function direction(from: ScreenPoint, to: ScreenPoint): ScreenPoint {
  const length = Math.hypot(to[0] - from[0], to[1] - from[1]) || 1;
  return [(to[0] - from[0]) / length, (to[1] - from[1]) / length];
}

const lines = (...parts: ScreenPoint[][]) =>
  parts
    .filter((part) => part.length > 1)
    .map((part) => `M${part.map(([x, y]) => `${x.toFixed(2)},${y.toFixed(2)}`).join('L')}`)
    .join('');
