/** Reads data sets of the DICOM JSON model (PS3.18 F), also through the functional groups of enhanced objects. */
import type { DicomDataset } from '$lib/api/frames';

const SHARED_GROUPS = '52009229';
const PER_FRAME_GROUPS = '52009230';

export function numbers(dataset: DicomDataset | undefined, tag: string): number[] {
  const values = dataset?.[tag]?.Value ?? [];
  return values.map((value) => (value === null || value === '' ? NaN : Number(value)));
}

export function number(dataset: DicomDataset | undefined, tag: string): number | null {
  const [value] = numbers(dataset, tag);
  return value !== undefined && Number.isFinite(value) ? value : null;
}

export function text(dataset: DicomDataset | undefined, tag: string): string | null {
  return texts(dataset, tag)[0] || null;
}

export function texts(dataset: DicomDataset | undefined, tag: string): string[] {
  return (dataset?.[tag]?.Value ?? []).map((value) => (value === null ? '' : String(value).trim()));
}

export function items(dataset: DicomDataset | undefined, tag: string): DicomDataset[] {
  const element = dataset?.[tag];
  return element?.vr === 'SQ' ? ((element.Value ?? []) as DicomDataset[]).filter(Boolean) : [];
}

export function hasValue(dataset: DicomDataset | undefined, tag: string): boolean {
  const element = dataset?.[tag];
  return Boolean(element?.Value?.length || element?.InlineBinary || element?.BulkDataURI);
}

/** One frame of an object: its own functional groups, those that all frames share, and the data set itself. */
export class FrameAttributes {
  readonly dataset: DicomDataset;
  readonly #groups: DicomDataset[];

  /**
   * @param dataset Of the object.
   * @param frameNumber From 1.
   */
  constructor(dataset: DicomDataset, frameNumber: number) {
    this.dataset = dataset;
    const own = items(dataset, PER_FRAME_GROUPS)[frameNumber - 1];
    this.#groups = [own, items(dataset, SHARED_GROUPS)[0]].filter((group) => group !== undefined);
  }

  /** The item of a macro: of the frame, else shared; undefined where there is none (PS3.3 C.7.6.16). */
  macro(tag: string): DicomDataset | undefined {
    return this.#macros(tag)[0];
  }

  /**
   * Where an attribute of a macro stands: in that of the frame, else in the shared one, else in the data set, where
   * objects without functional groups have it. Several attributes are taken from one place, or none of them.
   */
  source(macro: string, ...attributes: string[]): DicomDataset {
    const layers = [...this.#macros(macro), this.dataset];
    const found = layers.find((layer) => attributes.every((tag) => hasValue(layer, tag)));
    return found ?? layers[0] ?? this.dataset;
  }

  #macros(tag: string): DicomDataset[] {
    return this.#groups.map((group) => items(group, tag)[0]).filter((item) => item !== undefined);
  }
}
