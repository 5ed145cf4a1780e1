/** What pages know of the planes that are cut in the browser: plain types, as in `types.ts`. */
import type { Affine, Plane, PlaneName, Projection } from '$lib/dicom/planes';
import type { SeriesChoice, StackProgress, TooLarge, WindowSetting } from './types';

export interface PlaneVolumeState {
  phase: 'opening' | 'tooLarge' | 'open' | 'failed';
  progress: StackProgress;
  /** Why the volume cannot be cut here: an error of `$lib/api/problem`, or `UnsupportedPixels`. */
  problem: unknown;
  tooLarge: TooLarge | null;
  /** Of the middle slice, for all: the first of its file, or a guess; null for tables, and until it is known. */
  window: WindowSetting | null;
  unit: string | null;
  isLossy: boolean;
}

export interface PlaneVolumeOptions {
  choice: SeriesChoice;
  /** From (column, row, slice) to the patient, as the API tells of the stack. */
  affine: Affine;
  /** The slice to fetch first. */
  index: number | null;
  onchange(state: PlaneVolumeState): void;
}

/** What is to be seen of a plane. */
export interface PlaneCut {
  name: PlaneName;
  plane: Plane;
  /** The first and the last plane that are projected onto the picture. */
  slab: readonly [first: number, last: number];
  projection: Projection;
  window: WindowSetting | null;
  isInverted: boolean;
}

/** The slices of one stack, to cut planes from. They are those that the cells show: nothing is fetched twice. */
export interface PlaneVolume {
  readonly state: PlaneVolumeState;
  /** The picture in its own size: `plane.columns` × `plane.rows`. The canvas is used again for the next of its name. */
  draw(cut: PlaneCut): HTMLCanvasElement | null;
  /** The value in a pixel of the picture that was drawn last; null where nothing is known. */
  valueAt(name: PlaneName, column: number, row: number): number | null;
  retry(): void;
  close(): void;
}
