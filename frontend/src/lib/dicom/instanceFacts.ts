/** What the viewer wants to know of one instance beyond its place in the series. */
import type { JsonDataset } from '$lib/api/metadata';

export interface InstanceFacts {
  seriesNumber: string | null;
  seriesDescription: string | null;
  studyDescription: string | null;
  studyDate: string | null;
  bodyPart: string | null;
  frameOfReferenceUid: string | null;
  /** Direction cosines of rows and columns (PS3.3 C.7.6.2.1.1). */
  orientation: number[] | null;
  sliceThicknessMm: number | null;
  /** Frames a second that the file recommends for cine. */
  frameRate: number | null;
  /** Null where the file does not say. */
  isLossy: boolean | null;
  isColour: boolean;
  /** What modality values are measured in, such as HU. */
  unit: string | null;
}

/** Syntaxes that may change pixel values (PS3.5 A.4). */
const LOSSY_SYNTAXES = new Set([50, 51, 81, 91, 203].map((one) => `1.2.840.10008.1.2.4.${one}`));

export function factsOf(dataset: JsonDataset): InstanceFacts {
  const read = (tag: string) => find(dataset, tag);
  const text = (tag: string) => read(tag)?.map(String).join(', ').trim() || null;
  const number = (tag: string) => positive(read(tag)?.[0]);
  const lossy = text('00282110');
  const syntax = text('00083002') ?? text('00020010');
  return {
    seriesNumber: text('00200011'),
    seriesDescription: text('0008103E'),
    studyDescription: text('00081030'),
    studyDate: text('00080020'),
    bodyPart: text('00180015'),
    frameOfReferenceUid: text('00200052'),
    orientation: numbersOf(read('00200037')),
    sliceThicknessMm: number('00180050'),
    frameRate: frameRate(number('00082144'), number('00180040'), number('00181063')),
    isLossy: lossy === '01' || LOSSY_SYNTAXES.has(syntax ?? '') ? true : lossy === '00' ? false : null,
    isColour: Number(read('00280002')?.[0] ?? 1) > 1 || text('00280004') === 'PALETTE COLOR',
    unit: text('00281054') ?? (text('00080060') === 'CT' ? 'HU' : null),
  };
}

/** Recommended Display Frame Rate, else Cine Rate, else from Frame Time in ms (PS3.3 C.7.6.5). */
function frameRate(recommended: number | null, cine: number | null, timeMs: number | null): number | null {
  return recommended ?? cine ?? (timeMs ? 1000 / timeMs : null);
}

/** At the top, else in what the frames of an enhanced object share, else with its first frame (PS3.3 C.7.6.16). */
function find(dataset: JsonDataset, tag: string): unknown[] | undefined {
  const values = dataset[tag]?.Value;
  if (values?.length) return values;
  for (const group of ['52009229', '52009230']) {
    const found = findBelow(dataset[group]?.Value?.[0], tag);
    if (found) return found;
  }
  return undefined;
}

/** Functional groups are sequences of one item. */
function findBelow(item: unknown, tag: string): unknown[] | undefined {
  for (const element of Object.values((item ?? {}) as JsonDataset)) {
    const inner = element.vr === 'SQ' ? (element.Value?.[0] as JsonDataset | undefined) : undefined;
    if (inner?.[tag]?.Value?.length) return inner[tag].Value;
  }
  return undefined;
}

function positive(value: unknown): number | null {
  const number = Number(value);
  return value !== null && value !== undefined && Number.isFinite(number) && number > 0 ? number : null;
}

function numbersOf(values: unknown[] | undefined): number[] | null {
  const numbers = values?.map(Number);
  return numbers?.length === 6 && numbers.every(Number.isFinite) ? numbers : null;
}
