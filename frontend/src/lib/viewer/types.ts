/**
 * What pages know of the viewer: plain types, without any import of Cornerstone. The module itself is loaded by
 * `const { startViewer } = await import('$lib/viewer')`, and only by pages that show it.
 *
 * Coordinates: `ImagePoint` counts from the centre of the first pixel ([0, 0]) in columns and rows; `WorldPoint` is mm
 * in the patient's coordinates (LPS, PS3.3 C.7.6.2.1.1). Slices count from 0 here; pages show them from 1.
 *
 * Marks for measuring (`performance.getEntriesByName(name)`); each is set once per `ImageCell.show`:
 *
 * - `viewer:route`     the page began (set by the page, before the module is imported)
 * - `viewer:preview`   the server's picture is painted (set by the page)
 * - `viewer:pixels`    the first slice is drawn from its own pixels
 * - `viewer:complete`  all slices of the stack are here (never where only some are kept: `ShowOptions.isWindowed`)
 */

import type { PlaneVolume, PlaneVolumeOptions } from './planeTypes';

export type ImagePoint = readonly [column: number, row: number];
export type WorldPoint = readonly [x: number, y: number, z: number];

/** What the main button of the mouse, or one finger, does. */
export type ToolName =
  | 'scroll'
  | 'window'
  | 'zoom'
  | 'pan'
  | 'magnify'
  | 'probe'
  | 'length'
  | 'angle'
  | 'cobb'
  | 'rectangle'
  | 'ellipse'
  | 'arrow'
  | 'bidirectional'
  | 'crosshair';

/** VOI LUT Function (0028,1056). */
export type WindowFunction = 'LINEAR' | 'LINEAR_EXACT' | 'SIGMOID';

/**
 * Where a window comes from: the file, its table, a guess, a person, or a named preset.
 *
 * The server guesses for files without a window. Here it is asked once for each stack, for the slice that is shown
 * first, so that slices can be compared with each other; its own pictures (`/slice`) are guessed one by one. Both agree
 * on the first slice; others may be brighter or darker than the server's picture of them.
 */
export type WindowSource = 'file' | 'table' | 'guessed' | 'set' | 'preset';

export interface WindowSetting {
  center: number;
  width: number;
  function: WindowFunction;
  source: WindowSource;
  /** Window Center & Width Explanation, or the name of the preset. */
  explanation: string | null;
}

/** Which slices a cell shows. */
export interface SeriesChoice {
  seriesInstanceUid: string;
  studyInstanceUid: string;
  /** Null: the order of `/slice` over the whole series. */
  stack: number | null;
}

/** How a cell shows its stack. Everything here may go into a link; nothing of it says whose images these are. */
export interface CellView {
  /** The slice that is wanted, from 0. */
  index: number;
  /** Null: as each slice's own file says (its table, its first window, or the server's guess). */
  window: WindowSetting | null;
  isInverted: boolean;
  /** 1: the whole picture just fits into the cell. */
  zoom: number;
  /** Which point lies in the middle of the cell: columns and rows away from the picture's own middle. */
  pan: readonly [columns: number, rows: number];
  /** Clockwise, in degrees, 0 to 359. Applied after flipping. */
  rotation: number;
  isFlippedHorizontally: boolean;
  isFlippedVertically: boolean;
}

export type SliceStatus = 'absent' | 'loading' | 'ready' | 'failed';

/** How far loading is; a new object at each change, at most once for each picture that the screen shows. */
export interface StackProgress {
  count: number;
  /** Slices that are here now; of a stack that is kept in part only (`CellState.isWindowed`) never all of them. */
  loaded: number;
  failed: number;
  /** Bytes that came, of those that will. */
  bytes: number;
  totalBytes: number;
  /** One for each slice, in order. */
  statuses: readonly SliceStatus[];
  /** Set while requests fail for want of a connection; loading goes on by itself. */
  isOffline: boolean;
}

/** What is known of the slice on the screen. */
export interface SliceFacts {
  index: number;
  sopInstanceUid: string;
  /** From 1. */
  frameNumber: number;
  /** Along the normal of the stack. */
  positionMm: number | null;
  rows: number;
  columns: number;
  /** Between the centres of rows and of columns; null where the file does not tell. */
  spacingMm: readonly [row: number, column: number] | null;
  /** Of the patient, or of the detector (projection radiography: the size in the patient is unknown). */
  spacingSource: 'patient' | 'detector' | 'calibrated' | null;
  /** Height of a pixel by its width where only this is known; 1: square. */
  pixelAspectRatio: number;
  sliceThicknessMm: number | null;
  /** Of the picture as it lies on the screen, turned and flipped; null where the file does not tell. */
  orientationLabels: { left: string; right: string; top: string; bottom: string } | null;
  imagePosition: WorldPoint | null;
  /** Row cosines, then column cosines. */
  imageOrientation: readonly number[] | null;
  frameOfReferenceUid: string | null;
  modality: string | null;
  photometricInterpretation: string;
  isColor: boolean;
  /** Regions of an ultrasound image with scales of their own; empty: the image has one scale. */
  ultrasoundRegions: readonly UltrasoundRegion[];
  /** Of values that the probe tells: HU, SUV …; null: unknown. */
  unit: string | null;
  /** The windows of the file, the default first. */
  windows: readonly WindowSetting[];
  /** The window in use; null for colour, masks and tables. */
  window: WindowSetting | null;
  /** Pixels were compressed with loss at some time (0028,2110). */
  isLossy: boolean;
  /** Lossy Image Compression Ratio (0028,2112), where the file tells. */
  lossyRatio: number | null;
  /** The picture was drawn by the server, since these pixels are beyond what is drawn here. */
  isDrawnByServer: boolean;
}

/** A part of an ultrasound image, with its own scale (Sequence of Ultrasound Regions, PS3.3 C.8.5.5). */
export interface UltrasoundRegion {
  /** In columns and rows, the last ones included. */
  left: number;
  top: number;
  right: number;
  bottom: number;
  /** Of a picture in two dimensions: mm from row to row, and from column to column. Null: no lengths (Doppler, M-mode …). */
  spacingMm: readonly [row: number, column: number] | null;
}

/** The modality values of the slice whose pixels are on the canvas: what statistics are computed of. */
export interface SliceValues {
  sopInstanceUid: string;
  frameNumber: number;
  rows: number;
  columns: number;
  /** Row by row; after the modality LUT. */
  values: ArrayLike<number>;
  /** Values from `low` to `high` are no picture. */
  padding: { low: number; high: number } | null;
}

/** Why a stack was not opened at once: `show(…, { isWindowed: true })` keeps only slices near the current one. */
export interface TooLarge {
  bytes: number;
  budget: number;
}

/** What a cell is doing. */
export type CellPhase = 'empty' | 'opening' | 'tooLarge' | 'open' | 'failed';

/** All that a page needs to draw around a cell; replaced by a new object when anything changes. */
export interface CellState {
  phase: CellPhase;
  series: SeriesChoice | null;
  view: CellView;
  count: number;
  /** How many slices there were before files of the series changed while it was open; null: they did not. */
  countBefore: number | null;
  /** The slice whose pixels are on the canvas; null: nothing is drawn. Never another than `slice.index`. */
  shownIndex: number | null;
  slice: SliceFacts | null;
  /** Whether the wanted slice is still to come. */
  isLoading: boolean;
  progress: StackProgress;
  /** Why the stack (phase `failed`), or the wanted slice, is not there: an error of `$lib/api/problem`. */
  problem: unknown;
  tooLarge: TooLarge | null;
  isWindowed: boolean;
  isPlaying: boolean;
  framesPerSecond: number;
  /** CSS pixels for one column of the picture. */
  scale: number;
  /** Columns and rows of the picture on the screen per CSS pixel, in mm; null where the spacing is unknown. */
  mmPerCssPixel: number | null;
}

/** What lies under the cursor. */
export interface ProbeResult {
  point: ImagePoint;
  world: WorldPoint | null;
  /** As in the file; null for colour and where the server drew the picture. */
  storedValue: number | null;
  /** After the modality LUT. */
  value: number | null;
  unit: string | null;
  rgb: readonly [red: number, green: number, blue: number] | null;
}

export type ShowResult = 'shown' | 'tooLarge' | 'failed' | 'superseded';

export interface ShowOptions {
  /** Keep only slices near the current one. */
  isWindowed?: boolean;
}

export interface CellHandlers {
  /** Something that `ImageCell.state` tells has changed; at most once for each picture of the screen. */
  onchange?(state: CellState): void;
  /** The wanted slice, or the whole stack, cannot be shown. */
  onerror?(problem: unknown): void;
  /** The mouse moved over the picture (null: it left), for the value under the cursor. */
  onprobe?(result: ProbeResult | null): void;
  /** A window was dragged over a picture that has none here: one in colour, or one that the server drew. */
  onwindowless?(isDrawnByServer: boolean): void;
  /** A cell became the active one: somebody pressed a button or a finger in it. */
  onactivate?(): void;
}

export interface ImageCell {
  readonly id: string;
  readonly element: HTMLDivElement;
  readonly state: CellState;
  /** How many pictures were drawn since the cell was made. */
  readonly drawnCount: number;

  show(series: SeriesChoice, view?: Partial<CellView>, options?: ShowOptions): Promise<ShowResult>;
  update(change: Partial<CellView>): void;
  scrollTo(index: number): void;
  scrollBy(slices: number): void;
  /** The whole picture in the middle of the cell. */
  fit(): void;
  /** One mm of the patient on one mm of the screen (a CSS pixel is 25.4 / 96 mm). False: the spacing is unknown. */
  oneToOneMm(): boolean;
  /** One CSS pixel for each column. */
  oneToOnePixels(): void;
  /** Window, zoom, pan, rotation, flips and inversion as at the beginning; the slice stays. */
  reset(): void;
  probe(clientX: number, clientY: number): ProbeResult | null;
  /** Null while nothing is drawn, of colour images, and where the server drew the picture. */
  sliceValues(): SliceValues | null;
  /** Where an image lies in the stack that is shown, from 0; null: it is none of it. */
  findSlice(sopInstanceUid: string, frameNumber: number): number | null;
  toImagePoint(clientX: number, clientY: number): ImagePoint | null;
  toClientPoint(point: ImagePoint): readonly [clientX: number, clientY: number] | null;
  /** Plays the slices; without a rate at the file's own, or 15 a second. */
  play(framesPerSecond?: number): void;
  pause(): void;
  /** Loads again what failed, and looks whether files of the series changed. */
  retry(): void;
  /** What the canvas shows, and nothing beside the picture. */
  snapshot(): HTMLCanvasElement | null;
  /** Leaves the series; the cell is empty. */
  clear(): void;
  /** Measures its element again; cells do this themselves when it changes. */
  resize(): void;
  destroy(): void;
}

export interface Viewer {
  createCell(element: HTMLDivElement, handlers?: CellHandlers): ImageCell;
  readonly cells: readonly ImageCell[];
  readonly tool: ToolName;
  setTool(name: ToolName): void;
  /** Begins to cut planes from a stack; from the one that cells show, where they show it. */
  openPlanes(options: PlaneVolumeOptions): PlaneVolume;
  /** Takes all pixels from the page and its memory; cells keep their series and view. Frames come again by `restore`. */
  clearPixels(): void;
  /** After `clearPixels`: loads again what the cells showed. */
  restore(): void;
  destroy(): void;
}

export interface ViewerOptions {
  /** Bytes that pixels may take in the page's memory; by default a share of the device's. */
  memoryBudget?: number;
}
