/** The server's own picture of a slice, for pixels that cannot be drawn here. */
import { readSlice, type SliceAddress } from '$lib/api/slice';
import type { SlicePixels } from './pixels';
import type { WindowSetting } from './types';

export async function readServerPicture(address: SliceAddress, signal: AbortSignal): Promise<SlicePixels> {
  const { picture, window } = await readSlice(address, signal);
  const bitmap = await createImageBitmap(picture, { colorSpaceConversion: 'none' });
  const { width: columns, height: rows } = bitmap;
  const context = new OffscreenCanvas(columns, rows).getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('no canvas');
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const rgba = context.getImageData(0, 0, columns, rows).data;
  const values = new Uint8Array(rows * columns * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    values[to] = rgba[from] as number;
    values[to + 1] = rgba[from + 1] as number;
    values[to + 2] = rgba[from + 2] as number;
  }
  const layout = {
    rows,
    columns,
    samplesPerPixel: 3,
    photometricInterpretation: 'RGB',
    bitsAllocated: 8,
    bitsStored: 8,
    isSigned: false,
    isFloat: false,
  };
  const drawnWindow: WindowSetting | null = window && {
    center: window.center,
    width: window.width,
    function: 'LINEAR',
    source: window.source === 'guessed' ? 'guessed' : 'file',
    explanation: null,
  };
  return { layout, isColor: true, values, min: 0, max: 255, isDrawnByServer: true, drawnWindow };
}
