/** Measurements in words, for the picture, the list and those who hear it. */
import { texts } from '$lib/texts';
import type { Calibration, MeasuredValues, MeasurementContent } from './types';

const t = texts.measurements;

/** How it is called: by its name, else by its kind. */
export const nameOf = ({ label, kind }: Pick<MeasurementContent, 'label' | 'kind'>) => label || t.kinds[kind];

/** What was measured, a line for each; none of an arrow. */
export function valueLines({ kind, values }: Pick<MeasurementContent, 'kind' | 'values'>): string[] {
  if (kind === 'arrow') return [];
  if (kind === 'angle' || kind === 'cobb') {
    return [values.angle_degrees === undefined ? t.noAngle : t.degrees(values.angle_degrees)];
  }
  if (kind === 'rectangle' || kind === 'ellipse') return regionLines(values);
  const lengths = [
    lengthOf(values, 'length') ?? lengthOf(values, 'long_axis'),
    lengthOf(values, 'short_axis'),
  ].filter((text) => text !== null);
  return lengths.length > 0 ? [qualified(lengths.reduce(t.diameters), values.calibration)] : [];
}

/** In one line. */
export const valueText = (content: Pick<MeasurementContent, 'kind' | 'values'>) =>
  valueLines(content).join(', ');

/** What the mm rest on, where that has to be said. */
export const calibrationText = ({ values, kind }: Pick<MeasurementContent, 'kind' | 'values'>) =>
  kind === 'angle' || kind === 'cobb' || !values.calibration ? '' : t.calibrations[values.calibration];

function lengthOf(values: MeasuredValues, name: 'length' | 'long_axis' | 'short_axis'): string | null {
  const [mm, px] = [values[`${name}_mm`], values[`${name}_px`]];
  return mm !== undefined ? t.mm(mm) : px !== undefined ? t.px(px) : null;
}

function regionLines(values: MeasuredValues): string[] {
  const { area_mm2, area_px2, mean, standard_deviation, minimum, maximum, value_unit } = values;
  const area = area_mm2 !== undefined ? t.mm2(area_mm2) : area_px2 !== undefined ? t.px2(area_px2) : null;
  const lines = area === null ? [] : [t.area(qualified(area, values.calibration))];
  if (mean === undefined || standard_deviation === undefined) return lines;
  lines.unshift(t.mean(mean, standard_deviation, value_unit ? ` ${value_unit}` : ''));
  if (minimum !== undefined && maximum !== undefined) lines.splice(1, 0, t.extremes(minimum, maximum));
  return lines;
}

function qualified(text: string, calibration: Calibration | undefined): string {
  if (calibration === 'detector') return t.atDetector(text);
  return calibration === 'calibrated' ? t.calibrated(text) : text;
}
