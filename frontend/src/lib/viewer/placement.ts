/** Where a picture lies in its cell: from columns and rows to CSS pixels and back. Pure arithmetic. */
import type { CellView, ImagePoint, SliceFacts } from './types';

/** [a, b, c, d, e, f] as canvases have it: x' = a x + c y + e, y' = b x + d y + f. */
export type Matrix = readonly [number, number, number, number, number, number];

interface PictureSize {
  columns: number;
  rows: number;
  /** Height of a pixel by its width. */
  aspect: number;
}

interface CellSize {
  width: number;
  height: number;
}

type Placed = Pick<CellView, 'zoom' | 'pan' | 'rotation' | 'isFlippedHorizontally' | 'isFlippedVertically'>;

/** CSS pixels for one column at which the whole picture, turned, just fits. */
export function fitScale(picture: PictureSize, cell: CellSize, rotation: number): number {
  const angle = (rotation * Math.PI) / 180;
  const [cos, sin] = [Math.abs(Math.cos(angle)), Math.abs(Math.sin(angle))];
  const [width, height] = [picture.columns, picture.rows * picture.aspect];
  const across = width * cos + height * sin;
  const down = width * sin + height * cos;
  return Math.min(cell.width / across, cell.height / down) || 1;
}

/**
 * From pixel edges (the first pixel reaches from 0 to 1) to CSS pixels of the cell: flipped first, then turned
 * clockwise. Where one column is one pixel of the screen, and nothing is turned askew, pixels meet pixels.
 */
export function placeMatrix(view: Placed, picture: PictureSize, cell: CellSize, pixelRatio: number): Matrix {
  const scale = fitScale(picture, cell, view.rotation) * view.zoom;
  const angle = (view.rotation * Math.PI) / 180;
  const [cos, sin] = exact(Math.cos(angle), Math.sin(angle));
  const x = (view.isFlippedHorizontally ? -1 : 1) * scale;
  const y = (view.isFlippedVertically ? -1 : 1) * scale * picture.aspect;
  const [a, b, c, d] = [cos * x, sin * x, -sin * y, cos * y];
  const [px, py] = [picture.columns / 2 + view.pan[0], picture.rows / 2 + view.pan[1]];
  let [e, f] = [cell.width / 2 - (a * px + c * py), cell.height / 2 - (b * px + d * py)];
  if (view.rotation % 90 === 0 && isNear(scale * pixelRatio, 1) && isNear(picture.aspect, 1)) {
    [e, f] = [Math.round(e * pixelRatio) / pixelRatio, Math.round(f * pixelRatio) / pixelRatio];
  }
  return [a, b, c, d, e, f];
}

const isNear = (a: number, b: number) => Math.abs(a - b) < 1e-4;
const exact = (...values: [number, number]) =>
  values.map((value) => (isNear(value, Math.round(value)) ? Math.round(value) : value)) as [number, number];

/** CSS pixels of the cell to a point of the picture, which counts from the centre of the first pixel. */
export function toImage([a, b, c, d, e, f]: Matrix, x: number, y: number): ImagePoint {
  const determinant = a * d - b * c;
  const [dx, dy] = [x - e, y - f];
  return [(d * dx - c * dy) / determinant - 0.5, (a * dy - b * dx) / determinant - 0.5];
}

/** The reverse of `toImage`. */
export function toCell([a, b, c, d, e, f]: Matrix, [column, row]: ImagePoint): [x: number, y: number] {
  const [px, py] = [column + 0.5, row + 0.5];
  return [a * px + c * py + e, b * px + d * py + f];
}

/** The letters at the edges of the picture as it lies on the screen; at odd angles those of the nearest quarter turn. */
export function turnLabels(
  labels: NonNullable<SliceFacts['orientationLabels']>,
  view: Placed,
): NonNullable<SliceFacts['orientationLabels']> {
  let { left, right, top, bottom } = labels;
  if (view.isFlippedHorizontally) [left, right] = [right, left];
  if (view.isFlippedVertically) [top, bottom] = [bottom, top];
  const turns = ((Math.round(view.rotation / 90) % 4) + 4) % 4;
  for (let i = 0; i < turns; i++) [top, right, bottom, left] = [left, top, right, bottom];
  return { left, right, top, bottom };
}

/** Orientation letters from direction cosines (PS3.3 C.7.6.1.1.1); null for anything that is no plane. */
export function orientationLabels(cosines: readonly number[] | null): SliceFacts['orientationLabels'] {
  if (cosines?.length !== 6) return null;
  const [right, bottom] = [lettersOf(cosines.slice(0, 3)), lettersOf(cosines.slice(3, 6))];
  const [left, top] = [
    lettersOf(cosines.slice(0, 3).map((value) => -value)),
    lettersOf(cosines.slice(3, 6).map((value) => -value)),
  ];
  return { left, right, top, bottom };
}

/** The largest parts of a direction, the largest first; below a tenth they are not worth a letter. */
function lettersOf(direction: number[]): string {
  const letters = [
    ['R', 'L'],
    ['A', 'P'],
    ['F', 'H'],
  ] as const;
  return direction
    .map((value, axis) => ({ size: Math.abs(value), letter: letters[axis]?.[value > 0 ? 1 : 0] ?? '' }))
    .filter(({ size }) => size > 0.1)
    .sort((a, b) => b.size - a.size)
    .map(({ letter }) => letter)
    .join('');
}
