/** How a picture lies in its cell: the numbers behind the server's picture, the scale bar and the zoom. */
import type { Size } from './geometry';

/** What decides how a picture lies; `pan` counts columns and rows away from the picture's own middle. */
export interface Placement {
  zoom: number;
  pan: readonly [columns: number, rows: number];
  rotation: number;
  isFlippedHorizontally: boolean;
  isFlippedVertically: boolean;
}

/** The picture in columns: rows count by how high they are compared with the width of a column. */
export interface Extent {
  columns: number;
  rows: number;
  /** Height of a pixel by its width. */
  aspect: number;
}

/** CSS pixels for one column where the whole picture, turned as it is, just fits into the cell. */
export function fitScale(cell: Size, { columns, rows, aspect }: Extent, rotation: number): number {
  const isLying = Math.round(rotation / 90) % 2 !== 0;
  const [width, height] = isLying ? [rows * aspect, columns] : [columns, rows * aspect];
  return width > 0 && height > 0 ? Math.min(cell.width / width, cell.height / height) : 0;
}

/** The CSS transform that puts an image of `columns` × `rows` (from its upper left corner) in its place. */
export function placeImage(cell: Size, extent: Extent, placement: Placement): string {
  const scale = fitScale(cell, extent, placement.rotation) * placement.zoom;
  const [panColumns, panRows] = placement.pan;
  const x = placement.isFlippedHorizontally ? -scale : scale;
  const y = (placement.isFlippedVertically ? -scale : scale) * extent.aspect;
  return [
    `translate(${cell.width / 2}px, ${cell.height / 2}px)`,
    `rotate(${placement.rotation}deg)`,
    `scale(${x}, ${y})`,
    `translate(${-extent.columns / 2 - panColumns}px, ${-extent.rows / 2 - panRows}px)`,
  ].join(' ');
}

/** How far a drag over the cell moves the picture, in its own columns and rows. */
export function dragToPan(
  dx: number,
  dy: number,
  scale: number,
  aspect: number,
  placement: Placement,
): [columns: number, rows: number] {
  const angle = (-placement.rotation * Math.PI) / 180;
  const columns = (dx * Math.cos(angle) - dy * Math.sin(angle)) / scale;
  const rows = (dx * Math.sin(angle) + dy * Math.cos(angle)) / scale / aspect;
  const [panColumns, panRows] = placement.pan;
  return [
    panColumns - (placement.isFlippedHorizontally ? -columns : columns),
    panRows - (placement.isFlippedVertically ? -rows : rows),
  ];
}
