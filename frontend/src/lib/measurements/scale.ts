/** What lengths on an image mean (PS3.3 10.7.1.3): millimetres of what, or only pixels, and why. */
import type { ImagePoint, SliceFacts } from '$lib/viewer/types';
import type { Calibration } from './types';

export interface Scale {
  calibration: Calibration;
  /** From row to row and from column to column: mm, or relative where no mm are known. */
  spacing: readonly [row: number, column: number];
  isMillimetres: boolean;
  /** Why there are no mm. */
  reason: null | 'noSpacing' | 'outsideRegions' | 'severalRegions' | 'noPicture';
  /** False where rows and columns are different quantities (time, velocity): not even an angle has a meaning. */
  hasAngles: boolean;
}

export type ScaleFacts = Pick<
  SliceFacts,
  'spacingMm' | 'spacingSource' | 'pixelAspectRatio' | 'ultrasoundRegions'
>;

/** The scale that holds for all of these points at once. */
export function scaleOf(facts: ScaleFacts, points: readonly ImagePoint[]): Scale {
  if (facts.ultrasoundRegions?.length) return scaleOfRegions(facts, points);
  if (!facts.spacingMm) return inPixels('noSpacing', facts.pixelAspectRatio);
  return inMillimetres(facts.spacingMm, facts.spacingSource ?? 'patient');
}

/**
 * Of ultrasound the region decides, not the image: beside it, across its border, and where its axes are time or
 * velocity, there are no lengths. A later region lies over an earlier one (PS3.3 C.8.5.5.1).
 */
function scaleOfRegions(facts: ScaleFacts, points: readonly ImagePoint[]): Scale {
  const regions = [...(facts.ultrasoundRegions ?? [])].reverse();
  const found = points.map(([column, row]) =>
    regions.find(
      ({ left, right, top, bottom }) =>
        column >= left - 0.5 && column <= right + 0.5 && row >= top - 0.5 && row <= bottom + 0.5,
    ),
  );
  const [first] = found;
  if (found.some((region) => region !== first)) return inPixels('severalRegions', facts.pixelAspectRatio);
  if (!first) return inPixels('outsideRegions', facts.pixelAspectRatio);
  if (!first.spacingMm) return { ...inPixels('noPicture', 1), hasAngles: false };
  return inMillimetres(first.spacingMm, 'region');
}

const inMillimetres = (spacing: readonly [number, number], calibration: Calibration): Scale => ({
  calibration,
  spacing,
  isMillimetres: true,
  reason: null,
  hasAngles: true,
});

/** Without a spacing only the proportion of a pixel is known, 1:1 by default (PS3.3 C.7.6.3.1.7). */
const inPixels = (reason: Scale['reason'], aspectRatio: number): Scale => ({
  calibration: 'none',
  spacing: [aspectRatio > 0 ? aspectRatio : 1, 1],
  isMillimetres: false,
  reason,
  hasAngles: true,
});
