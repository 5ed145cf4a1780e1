/** Draws a slice, pixel for pixel, as the server draws it: modality values → VOI → polarity → 8 bits (PS3.4 N.2). */
import type { FrameDescription } from './description';
import type { PixelArray, SlicePixels } from './pixels';
import type { WindowSetting } from './types';
import { greyOf, type Voi } from './voi';

/** Tables up to this size are quicker than computing each pixel. */
const MAX_TABLE = 1 << 18;
const OPAQUE = 0xff000000;

/**
 * What brightness comes from: the window that a person chose, else the table, the first window or the range of a mask
 * that the file has, else the window that was guessed. Null: a window has to be guessed first.
 */
export function chooseVoi(
  description: FrameDescription,
  chosen: WindowSetting | null,
  guessed: WindowSetting | 'constant' | null,
): Voi | null {
  if (chosen) return { kind: 'window', window: chosen };
  if (description.voiTable) return { kind: 'table', table: description.voiTable };
  const [first] = description.windows;
  if (first) return { kind: 'window', window: first };
  if (description.maskRange) {
    return { kind: 'window', window: { ...description.maskRange, function: 'LINEAR_EXACT' } };
  }
  if (guessed === 'constant') return { kind: 'constant' };
  return guessed && { kind: 'window', window: guessed };
}

/** Fills `target` (one word for each pixel: red in the lowest byte, as ImageData has it) with the picture. */
export function drawPixels(
  target: Uint32Array,
  pixels: SlicePixels,
  description: FrameDescription,
  voi: Voi | null,
  isInverted: boolean,
): void {
  if (pixels.isColor) return drawColor(target, pixels.values, isInverted);
  const isTurned = pixels.layout.photometricInterpretation === 'MONOCHROME1' && voi?.kind !== 'constant';
  const word = wordOf(greyOf(voi ?? { kind: 'constant' }, isTurned !== isInverted), paddingOf(description));
  const { values, min, max } = pixels;
  const isWhole = !(values instanceof Float32Array || values instanceof Float64Array);
  if (isWhole && max - min < MAX_TABLE) drawByTable(target, values, min, max, word);
  else for (let i = 0; i < target.length; i++) target[i] = word(values[i] as number);
}

function drawByTable(
  target: Uint32Array,
  values: PixelArray,
  min: number,
  max: number,
  word: (value: number) => number,
): void {
  const table = new Uint32Array(max - min + 1);
  for (let i = 0; i < table.length; i++) table[i] = word(min + i);
  for (let i = 0; i < target.length; i++) target[i] = table[(values[i] as number) - min] as number;
}

function wordOf(grey: (value: number) => number, padding: { low: number; high: number } | null) {
  return (value: number) => {
    if (padding && value >= padding.low && value <= padding.high) return OPAQUE;
    return (OPAQUE | (grey(value) * 0x010101)) >>> 0;
  };
}

/** The range of padding as modality values. */
export function paddingOf(description: FrameDescription): { low: number; high: number } | null {
  const { padding, transform } = description;
  if (!padding || transform.kind === 'table') return null;
  const inMemory =
    Number.isInteger(transform.slope) && Number.isInteger(transform.intercept) ? Number : Math.fround;
  const ends = [padding.low, padding.high].map((value) =>
    inMemory(value * transform.slope + transform.intercept),
  );
  return { low: Math.min(...ends), high: Math.max(...ends) };
}

function drawColor(target: Uint32Array, values: PixelArray, isInverted: boolean): void {
  const flip = isInverted ? 0xffffff : 0;
  for (let i = 0, at = 0; i < target.length; i++, at += 3) {
    const rgb =
      (values[at] as number) | ((values[at + 1] as number) << 8) | ((values[at + 2] as number) << 16);
    target[i] = (OPAQUE | (rgb ^ flip)) >>> 0;
  }
}
