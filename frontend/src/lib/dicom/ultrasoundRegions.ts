/** The parts of an ultrasound image that have scales of their own (PS3.3 C.8.5.5). */
import type { UltrasoundRegion } from '$lib/viewer/types';

/** As in the DICOM JSON model (PS3.18 F). */
type Dataset = Record<string, { vr: string; Value?: unknown[] } | undefined>;

const SEQUENCE = '00186011';
const TWO_DIMENSIONAL = 1;
const CENTIMETRES = 3;
const MM_PER_CM = 10;

/** Regions of an image, in the order of the file; those without a usable place are left out. */
export function readUltrasoundRegions(dataset: object): UltrasoundRegion[] {
  const items = (dataset as Dataset)[SEQUENCE]?.Value ?? [];
  return items.flatMap((item) => {
    const number = (tag: string) => Number((item as Dataset | null)?.[tag]?.Value?.[0] ?? NaN);
    const [left, top, right, bottom] = ['00186018', '0018601A', '0018601C', '0018601E'].map(number);
    const place = { left: left ?? NaN, top: top ?? NaN, right: right ?? NaN, bottom: bottom ?? NaN };
    if (!Object.values(place).every(Number.isFinite)) return [];
    return [{ ...place, spacingMm: spacingOf(number) }];
  });
}

/** Only of a picture whose axes are both lengths: in Doppler, M-mode and curves at least one is time or velocity. */
function spacingOf(number: (tag: string) => number): readonly [number, number] | null {
  const isPicture = number('00186012') === TWO_DIMENSIONAL;
  const areLengths = number('00186024') === CENTIMETRES && number('00186026') === CENTIMETRES;
  // Deltas have signs where the picture runs against its axis.
  const [column, row] = ['0018602C', '0018602E'].map((tag) => Math.abs(number(tag)) * MM_PER_CM);
  if (!isPicture || !areLengths || !row || !column) return null;
  return Number.isFinite(row) && Number.isFinite(column) ? [row, column] : null;
}
