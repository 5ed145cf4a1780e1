/**
 * What there is to say about the picture in a cell, whichever way it was drawn: from its own pixels, or by the server.
 * What stands in the corners, what is announced and what a saved picture carries all come from here.
 */
import type { Stack, VolumeDetail } from '$lib/api/types';
import type { Size } from '$lib/dicom/geometry';
import { turnLabels } from '$lib/dicom/orientation';
import { fitScale } from '$lib/dicom/placement';
import type { CellState, CellView, WindowSetting } from '$lib/viewer/types';
import type { ShownSlice } from './sliceView.svelte';

export interface PictureFacts {
  /** `server`: a rendered picture; `pixels`: drawn here from the file's own values. */
  drawnBy: 'server' | 'pixels';
  /** From 0. */
  index: number;
  count: number;
  sopInstanceUid: string | null;
  frameNumber: number | null;
  positionMm: number | null;
  thicknessMm: number | null;
  rows: number;
  columns: number;
  /** Between rows, between columns. */
  spacingMm: readonly [number, number] | null;
  /** Lengths are those at the detector; in the patient they are smaller. */
  isDetectorSpacing: boolean;
  labels: { left: string; right: string; top: string; bottom: string } | null;
  window: Pick<WindowSetting, 'center' | 'width' | 'source' | 'explanation'> | null;
  isColor: boolean;
  isLossy: boolean;
  modality: string | null;
  /** CSS pixels for one column. */
  scale: number;
  mmPerCssPixel: number | null;
}

/** Of the slice whose own pixels are on the canvas; null while there is none. */
export function factsOfPixels(state: CellState | null): PictureFacts | null {
  const slice = state?.slice;
  if (!state || !slice || state.shownIndex === null) return null;
  return {
    drawnBy: slice.isDrawnByServer ? 'server' : 'pixels',
    index: slice.index,
    count: state.count,
    sopInstanceUid: slice.sopInstanceUid,
    frameNumber: slice.frameNumber,
    positionMm: slice.positionMm,
    thicknessMm: slice.sliceThicknessMm,
    rows: slice.rows,
    columns: slice.columns,
    spacingMm: slice.spacingMm,
    isDetectorSpacing: slice.spacingSource === 'detector',
    labels: slice.orientationLabels,
    window: slice.window,
    isColor: slice.isColor,
    isLossy: slice.isLossy,
    modality: slice.modality,
    scale: state.scale,
    mmPerCssPixel: state.mmPerCssPixel,
  };
}

/** Of a picture that the server rendered. */
export function factsOfServer(
  picture: ShownSlice | null,
  detail: VolumeDetail | null,
  view: CellView,
  cell: Size,
): PictureFacts | null {
  if (!picture) return null;
  const stack = stackOf(picture, detail);
  const { width: columns, height: rows } = picture.size;
  const aspect = aspectOf(stack, detail);
  const scale = fitScale(cell, { columns, rows, aspect }, view.rotation) * view.zoom;
  const { row_spacing_mm: rowMm, column_spacing_mm: columnMm } = stack ?? {};
  const labels = stack?.orientation_labels;
  return {
    drawnBy: 'server',
    index: picture.index,
    count: picture.count,
    sopInstanceUid: picture.sopInstanceUid,
    frameNumber: picture.frameNumber,
    positionMm: picture.positionMm,
    thicknessMm: stack?.slice_thickness_mm ?? null,
    rows,
    columns,
    spacingMm: rowMm && columnMm ? [rowMm, columnMm] : null,
    isDetectorSpacing: false,
    labels: labels
      ? turnLabels(labels, view.rotation, view.isFlippedHorizontally, view.isFlippedVertically)
      : null,
    window: windowOf(picture, detail, view),
    isColor: false,
    isLossy: false,
    modality: detail?.modality ?? null,
    scale,
    mmPerCssPixel: columnMm && scale > 0 ? columnMm / scale : null,
  };
}

/** The stack that a picture belongs to: in a localizer each slice may have another. */
export function stackOf(picture: ShownSlice | null, detail: VolumeDetail | null): Stack | null {
  const stacks = detail?.stacks ?? [];
  if (stacks.length === 1) return stacks[0] ?? null;
  const number = picture?.stack ?? picture?.address.stack ?? detail?.middle?.stack ?? null;
  return stacks.find(({ stack }) => stack === number) ?? null;
}

export const aspectOf = (stack: Stack | null, detail: VolumeDetail | null) =>
  stack?.pixel_aspect_ratio ?? detail?.pixel_aspect_ratio ?? 1;

function windowOf(picture: ShownSlice, detail: VolumeDetail | null, view: CellView): PictureFacts['window'] {
  if (!picture.window) return null;
  const { center, width, source } = picture.window;
  const wanted = view.window;
  if (source === 'request' && wanted?.center === center && wanted.width === width) return wanted;
  const offered = detail?.windows.find((one) => one.center === center && one.width === width);
  return {
    center,
    width,
    source: source === 'guessed' ? 'guessed' : source === 'request' && !offered ? 'set' : 'file',
    explanation: offered?.explanation ?? null,
  };
}
