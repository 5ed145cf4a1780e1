/** The value under the cursor. */
import { toStoredValue } from './pixels';
import type { ShownSlice } from './sliceViewport';
import type { ImagePoint, ProbeResult, WorldPoint } from './types';

/** Null outside of the picture. */
export function probeAt(shown: ShownSlice, point: ImagePoint, world: WorldPoint | null): ProbeResult | null {
  const { pixels, description } = shown;
  const { rows, columns, isFloat } = pixels.layout;
  const [column, row] = [Math.round(point[0]), Math.round(point[1])];
  if (column < 0 || row < 0 || column >= columns || row >= rows) return null;
  const at = row * columns + column;
  const { values } = pixels;
  const nothing = { point, world, storedValue: null, value: null, unit: null, rgb: null };
  if (pixels.isColor) {
    const rgb = [0, 1, 2].map((i) => values[3 * at + i] ?? 0) as unknown as [number, number, number];
    return { ...nothing, rgb };
  }
  const value = values[at] ?? 0;
  const storedValue = toStoredValue(value, description.transform, isFloat);
  return { ...nothing, value, storedValue, unit: description.unit };
}
