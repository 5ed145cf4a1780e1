/** What pages tell about the slice on the screen. */
import { orientationLabels, turnLabels } from './placement';
import type { ShownSlice } from './sliceViewport';
import type { Stack } from './stack';
import type { CellView, SliceFacts, WindowSetting } from './types';
import type { Voi } from './voi';

export function sliceFacts(
  { index, pixels, description }: ShownSlice,
  stack: Stack | null,
  view: CellView,
  guess: WindowSetting | 'constant' | null,
  voi: Voi | null,
): SliceFacts {
  const labels = orientationLabels(description.orientation);
  return {
    index,
    sopInstanceUid: description.sopInstanceUid,
    frameNumber: description.frameNumber,
    positionMm: stack?.list.slices[index]?.position_mm ?? null,
    rows: pixels.layout.rows,
    columns: pixels.layout.columns,
    spacingMm: description.spacingMm,
    spacingSource: description.spacingSource,
    pixelAspectRatio: description.pixelAspectRatio,
    sliceThicknessMm: description.sliceThicknessMm,
    orientationLabels: labels && turnLabels(labels, view),
    imagePosition: description.position,
    imageOrientation: description.orientation,
    frameOfReferenceUid: description.frameOfReferenceUid,
    ultrasoundRegions: description.ultrasoundRegions,
    modality: description.modality,
    photometricInterpretation: description.photometricInterpretation,
    isColor: pixels.isColor,
    unit: description.unit,
    windows: description.windows,
    window: pixels.isColor
      ? (pixels.drawnWindow ?? null)
      : windowInUse(voi, view, description.windows, guess),
    isLossy: description.isLossy,
    lossyRatio: description.lossyRatio,
    isDrawnByServer: pixels.isDrawnByServer ?? false,
  };
}

function windowInUse(
  voi: Voi | null,
  view: CellView,
  windows: readonly WindowSetting[],
  guess: WindowSetting | 'constant' | null,
): WindowSetting | null {
  if (voi?.kind !== 'window') return null;
  if (view.window) return view.window;
  return windows[0] ?? (guess && guess !== 'constant' ? guess : null);
}
