/** From what was drawn to what was measured. */
import type { ImagePoint, SliceFacts, SliceValues } from '$lib/viewer/types';
import { angleAt, cobbAngle, lengthOf, PIXELS } from './geometry';
import { areaOf, statisticsOf } from './regions';
import { scaleOf, type Scale, type ScaleFacts } from './scale';
import type { MeasuredValues, MeasurementKind } from './types';

export type MeasuringFacts = ScaleFacts & Pick<SliceFacts, 'isColor' | 'unit'>;

/**
 * Values of a measurement on a slice. Lengths are mm where the image tells what a pixel is, and pixels otherwise; an
 * angle is left out where rows and columns are different quantities, statistics where there are no values.
 */
export function measure(
  kind: MeasurementKind,
  points: readonly ImagePoint[],
  facts: MeasuringFacts,
  values: SliceValues | null,
): MeasuredValues {
  const scale = scaleOf(facts, points);
  const [a, b, c] = points;
  if (kind === 'arrow' || !a || !b) return {};
  if (kind === 'length') return { ...lengthValue('length', a, b, scale), calibration: scale.calibration };
  if (kind === 'angle') return angleValue(c ? angleAt(b, a, c, scale.spacing) : null, scale);
  if (kind === 'cobb') return angleValue(cobbAngle(points, scale.spacing), scale);
  if (kind === 'bidirectional') return { ...axesValue(points, scale), calibration: scale.calibration };
  return { ...areaValue(kind, points, scale), ...statisticValues(kind, points, facts, values) };
}

/** Why a measurement is not in mm, or has no angle; null where all is well. */
export const reasonFor = (
  kind: MeasurementKind,
  points: readonly ImagePoint[],
  facts: ScaleFacts,
): Scale['reason'] => {
  const scale = scaleOf(facts, points);
  if (kind === 'arrow') return null;
  if (kind === 'angle' || kind === 'cobb') return scale.hasAngles ? null : scale.reason;
  return scale.reason;
};

function lengthValue(
  name: 'length' | 'long_axis' | 'short_axis',
  from: ImagePoint,
  to: ImagePoint,
  scale: Scale,
): MeasuredValues {
  if (scale.isMillimetres) return { [`${name}_mm`]: lengthOf(from, to, scale.spacing) };
  return { [`${name}_px`]: lengthOf(from, to, PIXELS) };
}

/** The longer one is the long axis, whichever was drawn first. */
function axesValue([a, b, c, d]: readonly ImagePoint[], scale: Scale): MeasuredValues {
  if (!a || !b || !c || !d) return {};
  const isTurned = lengthOf(c, d, scale.spacing) > lengthOf(a, b, scale.spacing);
  const [long, short] = isTurned
    ? ([
        [c, d],
        [a, b],
      ] as const)
    : ([
        [a, b],
        [c, d],
      ] as const);
  return {
    ...lengthValue('long_axis', long[0], long[1], scale),
    ...lengthValue('short_axis', short[0], short[1], scale),
  };
}

function angleValue(angle: number | null, scale: Scale): MeasuredValues {
  return angle === null || !scale.hasAngles ? {} : { angle_degrees: angle };
}

function areaValue(
  kind: 'rectangle' | 'ellipse',
  points: readonly ImagePoint[],
  { isMillimetres, spacing, calibration }: Scale,
): MeasuredValues {
  const pixels = areaOf(kind, points);
  if (isMillimetres) return { area_mm2: pixels * spacing[0] * spacing[1], calibration };
  return { area_px2: pixels, calibration };
}

function statisticValues(
  kind: 'rectangle' | 'ellipse',
  points: readonly ImagePoint[],
  { isColor, unit }: MeasuringFacts,
  values: SliceValues | null,
): MeasuredValues {
  const found = isColor || !values ? null : statisticsOf(kind, points, values);
  if (!found) return {};
  return {
    pixel_count: found.count,
    mean: found.mean,
    standard_deviation: found.standardDeviation,
    minimum: found.minimum,
    maximum: found.maximum,
    ...(unit ? { value_unit: unit.slice(0, 64) } : {}),
  };
}
