/** Where and how large a slice stands on the page. Lengths in CSS pixels unless the name says mm. */
import type { Stack } from '$lib/api/types';
import { formatUnit } from '$lib/texts/formats';

export interface Size {
  width: number;
  height: number;
}

/**
 * Width to height of the whole picture as it is in the patient.
 *
 * Rows × Columns pixels are square only by chance: the spacings say how far apart they are (PS3.3 10.7.1.3),
 * without them Pixel Aspect Ratio does (height to width of one pixel, PS3.3 C.7.6.3.1.7).
 */
export function trueProportion(picture: Size, pixelAspectRatio: number | null): number {
  const ratio = pixelAspectRatio && pixelAspectRatio > 0 ? pixelAspectRatio : 1;
  return picture.width / (picture.height * ratio);
}

/** The largest size of that proportion within the box. */
export function fitWithin(box: Size, proportion: number): Size {
  const width = Math.max(0, Math.min(box.width, box.height * proportion));
  return { width, height: width / proportion };
}

/** Above this many device pixels per image pixel, hard pixel edges are more honest than a blur. */
const BLUR_LIMIT = 3;

export function needsHardEdges(shown: Size, picture: Size, devicePixelRatio: number): boolean {
  return (shown.width * devicePixelRatio) / picture.width > BLUR_LIMIT;
}

export interface ScaleBar {
  /** Length on the page. */
  length: number;
  label: string;
}

const SCALE_STEPS_MM = [500, 200, 100, 50, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1];

/** The longest round length that fits into `limit`, or null where the file gives no spacing. */
export function scaleBar(shown: Size, stack: Stack | null, limit: number): ScaleBar | null {
  if (!stack?.column_spacing_mm) return null;
  return scaleBarOf(shown.width / (stack.columns * stack.column_spacing_mm), limit);
}

/** As above, from how many CSS pixels a millimetre takes. */
export function scaleBarOf(pixelsPerMm: number, limit: number): ScaleBar | null {
  const mm = SCALE_STEPS_MM.find((step) => step * pixelsPerMm <= limit);
  if (!mm || !Number.isFinite(pixelsPerMm) || pixelsPerMm <= 0) return null;
  return { length: mm * pixelsPerMm, label: describeLength(mm) };
}

const describeLength = (mm: number) =>
  mm >= 10 ? formatUnit(mm / 10, 'centimeter', 0) : formatUnit(mm, 'millimeter', mm < 1 ? 1 : 0);
