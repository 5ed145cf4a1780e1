/** From the bytes of a frame to modality values: what tools measure, and what is drawn. */
import { lookUp } from './lookupTable';
import type { FrameDescription, ModalityTransform } from './description';
import type { WindowSetting } from './types';

export type PixelArray =
  | Uint8Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>;

/** How the bytes of a frame are to be read: as its file says, unless the part it came in says otherwise. */
export interface PixelLayout {
  rows: number;
  columns: number;
  samplesPerPixel: number;
  photometricInterpretation: string;
  bitsAllocated: number;
  bitsStored: number;
  isSigned: boolean;
  isFloat: boolean;
}

/** A frame that can be drawn. Grey: one modality value for each pixel; colour: red, green, blue of 8 bits. */
export interface SlicePixels {
  layout: PixelLayout;
  isColor: boolean;
  values: PixelArray;
  min: number;
  max: number;
  /** The server's picture stands in for pixels that cannot be drawn here. */
  isDrawnByServer?: boolean;
  /** The window that the server drew it with. */
  drawnWindow?: WindowSetting | null;
}

/** The pixels cannot be shown here; the server can draw them. */
export class UnsupportedPixels extends Error {
  override readonly name = 'UnsupportedPixels';
}

/** The layout of a frame, from its description and the parameters of its part's Content-Type. */
export function layoutOf(
  description: FrameDescription,
  parameters: ReadonlyMap<string, string>,
): PixelLayout {
  const told = (name: string, fallback: number) => Number(parameters.get(name) ?? fallback);
  const representation = parameters.get('pixel-representation');
  const photometric = parameters.get('photometric-interpretation')?.replaceAll('_', ' ');
  return {
    rows: description.rows,
    columns: description.columns,
    samplesPerPixel: told('samples-per-pixel', description.samplesPerPixel),
    photometricInterpretation: photometric ?? description.photometricInterpretation,
    bitsAllocated: told('bits-allocated', description.bitsAllocated),
    bitsStored: told('bits-stored', description.bitsStored),
    isSigned: representation === undefined ? description.isSigned : representation === '1',
    isFloat: representation === 'float' || description.isFloat,
  };
}

/** Views plain little endian bytes as stored values, without copying them. */
export function viewStoredValues(bytes: Uint8Array<ArrayBuffer>, layout: PixelLayout): PixelArray {
  const { bitsAllocated, isSigned, isFloat } = layout;
  const length = layout.rows * layout.columns * layout.samplesPerPixel;
  const buffer = bytes.byteOffset % 8 ? bytes.slice().buffer : bytes.buffer;
  const offset = bytes.byteOffset % 8 ? 0 : bytes.byteOffset;
  if (bytes.byteLength < (length * bitsAllocated) / 8) throw new UnsupportedPixels('too few bytes');
  if (isFloat) {
    if (bitsAllocated === 32) return new Float32Array(buffer, offset, length);
    if (bitsAllocated === 64) return new Float64Array(buffer, offset, length);
  } else if (bitsAllocated === 8) {
    return isSigned ? new Int8Array(buffer, offset, length) : new Uint8Array(buffer, offset, length);
  } else if (bitsAllocated === 16) {
    return isSigned ? new Int16Array(buffer, offset, length) : new Uint16Array(buffer, offset, length);
  } else if (bitsAllocated === 32) {
    return isSigned ? new Int32Array(buffer, offset, length) : new Uint32Array(buffer, offset, length);
  }
  throw new UnsupportedPixels(`${bitsAllocated} bits`);
}

export function toSlicePixels(
  stored: PixelArray,
  layout: PixelLayout,
  transform: ModalityTransform,
): SlicePixels {
  const isGrey = /^MONOCHROME[12]$/.test(layout.photometricInterpretation);
  if (isGrey && layout.samplesPerPixel === 1) {
    return { layout, isColor: false, ...toModalityValues(stored, transform) };
  }
  if (
    layout.photometricInterpretation === 'RGB' &&
    layout.samplesPerPixel === 3 &&
    stored instanceof Uint8Array
  ) {
    return { layout, isColor: true, values: stored, min: 0, max: 255 };
  }
  throw new UnsupportedPixels(layout.photometricInterpretation);
}

interface Values {
  values: PixelArray;
  min: number;
  max: number;
}

/** Modality values, in the place of the stored ones where they fit there, so that a volume is in memory once. */
export function toModalityValues(stored: PixelArray, transform: ModalityTransform): Values {
  if (transform.kind === 'table') {
    const values = Uint16Array.from(stored as Uint8Array, (value) => lookUp(transform.table, value));
    return { values, ...rangeOf(values) };
  }
  const { slope, intercept } = transform;
  const range = rangeOf(stored);
  if (slope === 1 && intercept === 0) return { values: stored, ...range };
  const ends = [range.min * slope + intercept, range.max * slope + intercept] as const;
  const [min, max] = [Math.min(...ends), Math.max(...ends)];
  const values = placeFor(stored, min, max, Number.isInteger(slope) && Number.isInteger(intercept));
  if (slope === 1) for (let i = 0; i < stored.length; i++) values[i] = (stored[i] as number) + intercept;
  else for (let i = 0; i < stored.length; i++) values[i] = (stored[i] as number) * slope + intercept;
  return { values, min, max };
}

function placeFor(stored: PixelArray, min: number, max: number, isWhole: boolean): PixelArray {
  if (stored instanceof Float64Array) return stored;
  const { buffer, byteOffset, length } = stored;
  const isWord = stored.BYTES_PER_ELEMENT === 2;
  if (isWhole && !(stored instanceof Float32Array)) {
    if (min >= -32768 && max <= 32767) {
      return isWord ? new Int16Array(buffer, byteOffset, length) : new Int16Array(length);
    }
    if (min >= 0 && max <= 65535) {
      return isWord ? new Uint16Array(buffer, byteOffset, length) : new Uint16Array(length);
    }
  }
  return new Float32Array(length);
}

function rangeOf(values: PixelArray): { min: number; max: number } {
  let [min, max] = [Infinity, -Infinity];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return min <= max ? { min, max } : { min: 0, max: 0 };
}

/** The stored value that a modality value came from; null where a table leads nowhere back. */
export function toStoredValue(value: number, transform: ModalityTransform, isFloat: boolean): number | null {
  if (transform.kind === 'table') return null;
  const stored = (value - transform.intercept) / transform.slope;
  return isFloat ? stored : Math.round(stored);
}
