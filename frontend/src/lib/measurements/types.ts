/** What a measurement is, on the pages: plain types. Field names of values are the API's own. */
import type { ImagePoint } from '$lib/viewer/types';

export const MEASUREMENT_KINDS = [
  'length',
  'angle',
  'cobb',
  'rectangle',
  'ellipse',
  'arrow',
  'bidirectional',
] as const;

export type MeasurementKind = (typeof MEASUREMENT_KINDS)[number];

/** What millimetres rest on; see docs/api.md. */
export type Calibration = 'patient' | 'calibrated' | 'detector' | 'region' | 'none';

/** What was measured; only what the kind has, and what the image allows. */
export interface MeasuredValues {
  length_mm?: number;
  length_px?: number;
  angle_degrees?: number;
  long_axis_mm?: number;
  long_axis_px?: number;
  short_axis_mm?: number;
  short_axis_px?: number;
  area_mm2?: number;
  area_px2?: number;
  pixel_count?: number;
  mean?: number;
  standard_deviation?: number;
  minimum?: number;
  maximum?: number;
  value_unit?: string;
  calibration?: Calibration;
}

/** The image that a measurement lies on. */
export interface ImagePlace {
  studyInstanceUid: string;
  seriesInstanceUid: string;
  sopInstanceUid: string;
  /** From 1. */
  frameNumber: number;
}

/**
 * A measurement without its history. Points by kind — length: ends; angle: end, vertex, end; cobb: ends of two lines;
 * rectangle: corners in order; ellipse: ends of one axis, ends of the other; arrow: tip, tail; bidirectional: ends of
 * the long axis, ends of the short one.
 */
export interface MeasurementContent {
  kind: MeasurementKind;
  label: string;
  place: ImagePlace;
  points: readonly ImagePoint[];
  values: MeasuredValues;
}

export const isSamePlace = (one: ImagePlace, other: Pick<ImagePlace, 'sopInstanceUid' | 'frameNumber'>) =>
  one.sopInstanceUid === other.sopInstanceUid && one.frameNumber === other.frameNumber;
