/** What the attributes of a file say about one frame, as far as showing it needs it: pure, from the DICOM JSON. */
import type { DicomDataset } from '$lib/api/frames';
import { FrameAttributes, hasValue, items, number, numbers, text, texts } from './dataset';
import { readUltrasoundRegions } from '$lib/dicom/ultrasoundRegions';
import { readLookupTable, type LookupTable } from './lookupTable';
import type { SliceFacts, UltrasoundRegion, WindowFunction, WindowSetting, WorldPoint } from './types';
import { suitableFunction } from './voi';

/** Modality value = slope × stored value + intercept, or a table (PS3.3 C.11.1). */
export type ModalityTransform =
  { kind: 'rescale'; slope: number; intercept: number } | { kind: 'table'; table: LookupTable };

export interface FrameDescription {
  sopInstanceUid: string;
  sopClassUid: string | null;
  frameNumber: number;
  rows: number;
  columns: number;
  samplesPerPixel: number;
  photometricInterpretation: string;
  bitsAllocated: number;
  bitsStored: number;
  isSigned: boolean;
  /** Float or Double Float Pixel Data (PS3.3 C.7.6.24, C.7.6.25). */
  isFloat: boolean;
  modality: string | null;
  transform: ModalityTransform;
  unit: string | null;
  windows: WindowSetting[];
  voiTable: LookupTable | null;
  /** The range that a mask has by its nature; null for other images. */
  maskRange: { center: number; width: number } | null;
  /** Stored values from `low` to `high` are no picture and drawn black. */
  padding: { low: number; high: number } | null;
  /** Whether colours are mixed into a grey image (Supplemental Palette), which only the server draws. */
  isPartlyColored: boolean;
  position: WorldPoint | null;
  orientation: number[] | null;
  frameOfReferenceUid: string | null;
  spacingMm: readonly [row: number, column: number] | null;
  spacingSource: SliceFacts['spacingSource'];
  pixelAspectRatio: number;
  ultrasoundRegions: readonly UltrasoundRegion[];
  sliceThicknessMm: number | null;
  isLossy: boolean;
  lossyRatio: number | null;
  framesPerSecond: number | null;
}

/** X-ray objects whose Modality LUT is no part of displaying (PS3.3 C.8.7.1.1.2). */
const MODALITY_LUT_NOT_FOR_DISPLAY = new Set(
  ['12.1', '12.1.1', '12.2', '12.2.1', '12.3'].map((end) => `1.2.840.10008.5.1.4.1.1.${end}`),
);
const FUNCTIONS: readonly string[] = ['LINEAR', 'LINEAR_EXACT', 'SIGMOID'] satisfies WindowFunction[];

export function describeFrame(dataset: DicomDataset, frameNumber: number): FrameDescription {
  const frame = new FrameAttributes(dataset, frameNumber);
  const isSigned = number(dataset, '00280103') === 1;
  const sopClassUid = text(dataset, '00080016');
  const transform = readTransform(frame, sopClassUid, isSigned);
  return {
    sopInstanceUid: text(dataset, '00080018') ?? '',
    sopClassUid,
    frameNumber,
    rows: number(dataset, '00280010') ?? 0,
    columns: number(dataset, '00280011') ?? 0,
    samplesPerPixel: number(dataset, '00280002') ?? 1,
    photometricInterpretation: text(dataset, '00280004')?.toUpperCase() ?? 'MONOCHROME2',
    bitsAllocated: number(dataset, '00280100') ?? 16,
    bitsStored: number(dataset, '00280101') ?? number(dataset, '00280100') ?? 16,
    isSigned,
    isFloat: Boolean(dataset['7FE00008'] ?? dataset['7FE00009']),
    modality: text(dataset, '00080060'),
    transform,
    unit: readUnit(frame, transform),
    windows: readWindows(frame),
    voiTable: readVoiTable(frame, transform, isSigned),
    maskRange: readMaskRange(dataset),
    padding: readPadding(dataset),
    isPartlyColored:
      text(dataset, '00089205') === 'MIXED' || hasValue(dataset, '00281101') || hasValue(dataset, '00281221'),
    ...readGeometry(frame),
    ultrasoundRegions: readUltrasoundRegions(dataset),
    isLossy: text(dataset, '00282110') === '01',
    lossyRatio: number(dataset, '00282112'),
    framesPerSecond: readFrameRate(dataset),
  };
}

function readTransform(
  frame: FrameAttributes,
  sopClassUid: string | null,
  isSigned: boolean,
): ModalityTransform {
  const [item] = items(frame.dataset, '00283000');
  if (item && !MODALITY_LUT_NOT_FOR_DISPLAY.has(sopClassUid ?? '')) {
    const table = readLookupTable(item, isSigned);
    if (table) return { kind: 'table', table };
  }
  const slope = number(frame.source('00289145', '00281053'), '00281053') || 1;
  const intercept = number(frame.source('00289145', '00281052'), '00281052') ?? 0;
  return { kind: 'rescale', slope, intercept };
}

/** Rescale Type and its kin; CT without one is in HU (PS3.3 C.11.1.1.2), when slope and intercept are there. */
function readUnit(frame: FrameAttributes, transform: ModalityTransform): string | null {
  const [item] = items(frame.dataset, '00283000');
  const type =
    transform.kind === 'table'
      ? text(item, '00283004')
      : text(frame.source('00289145', '00281054'), '00281054');
  if (type && type !== 'US') return type;
  const modality = text(frame.dataset, '00080060');
  if (modality === 'CT' && !type && hasValue(frame.source('00289145', '00281052'), '00281052')) return 'HU';
  if (modality === 'PT') return text(frame.dataset, '00541001');
  return null;
}

function readWindows(frame: FrameAttributes): WindowSetting[] {
  if (!isGrey(frame.dataset)) return [];
  const source = frame.source('00289132', '00281050', '00281051');
  const [centers, widths] = [numbers(source, '00281050'), numbers(source, '00281051')];
  const name = text(source, '00281056')?.toUpperCase() ?? '';
  const given = (FUNCTIONS.includes(name) ? name : 'LINEAR') as WindowFunction;
  const explanations = texts(source, '00281055');
  return centers.flatMap((center, i) => {
    const width = widths[i] ?? NaN;
    if (!Number.isFinite(center) || !(width > 0 && Number.isFinite(width))) return [];
    const explanation = explanations[i] || null;
    return [
      { center, width, function: suitableFunction(given, width), source: 'file' as const, explanation },
    ];
  });
}

function isGrey(dataset: DicomDataset): boolean {
  return /^MONOCHROME[12]$/.test(text(dataset, '00280004') ?? '');
}

/** Of the frame's own macro, unless that has a window instead (PS3.3 C.7.6.16.2.10b); else of the data set. */
function readVoiTable(frame: FrameAttributes, transform: ModalityTransform, isSigned: boolean) {
  const macro = frame.macro('00289132');
  const hasOwn = macro && (hasValue(macro, '00281050') || items(macro, '00283010').length > 0);
  const mayBeNegative =
    transform.kind === 'rescale' && (isSigned || transform.intercept < 0 || transform.slope < 0);
  for (const item of items(hasOwn ? macro : frame.dataset, '00283010')) {
    const table = readLookupTable(item, mayBeNegative);
    if (table) return table;
  }
  return null;
}

/** Two values of one bit, or 0 to Maximum Fractional Value (PS3.3 C.8.20.2). */
function readMaskRange(dataset: DicomDataset) {
  const isFractional = text(dataset, '00620001') === 'FRACTIONAL';
  const highest = isFractional ? number(dataset, '0062000E') : number(dataset, '00280101') === 1 ? 1 : null;
  return highest && highest > 0 ? { center: highest / 2, width: highest } : null;
}

/** Pixel Padding Value and Range Limit of a grey image (PS3.3 C.7.5.1.1.2), brought to the range of stored values. */
function readPadding(dataset: DicomDataset): FrameDescription['padding'] {
  if ((number(dataset, '00280002') ?? 1) !== 1) return null;
  const value = number(dataset, '00280120');
  if (value === null) return null;
  const limit = number(dataset, '00280121') ?? value;
  const bits = number(dataset, '00280101') ?? 16;
  const isSigned = number(dataset, '00280103') === 1;
  const first = toStored(value, bits, isSigned);
  const last = toStored(limit, bits, isSigned);
  const end = value <= limit === first <= last ? last : first;
  return { low: Math.min(first, end), high: Math.max(first, end) };
}

function toStored(value: number, bits: number, isSigned: boolean): number {
  const unsigned = ((value % 2 ** bits) + 2 ** bits) % 2 ** bits;
  return isSigned && unsigned >= 2 ** (bits - 1) ? unsigned - 2 ** bits : unsigned;
}

function readGeometry(frame: FrameAttributes) {
  const { dataset } = frame;
  const position = numbers(frame.source('00209113', '00200032'), '00200032');
  const orientation = numbers(frame.source('00209116', '00200037'), '00200037');
  const isPlaced = position.length === 3 && orientation.length === 6;
  const finite = isPlaced && [...position, ...orientation].every(Number.isFinite);
  return {
    position: finite ? (position as unknown as WorldPoint) : null,
    orientation: finite ? orientation : null,
    frameOfReferenceUid: text(dataset, '00200052'),
    ...readSpacing(frame),
    sliceThicknessMm: number(frame.source('00289110', '00180050'), '00180050'),
  };
}

/**
 * In the patient, calibrated, or at the detector only, where everything is larger (PS3.3 10.7.1.3). A Pixel Spacing that
 * differs from Imager Pixel Spacing is calibrated, one that repeats it is not.
 */
function readSpacing(
  frame: FrameAttributes,
): Pick<FrameDescription, 'spacingMm' | 'spacingSource' | 'pixelAspectRatio'> {
  const { dataset } = frame;
  const spacing = pair(numbers(frame.source('00289110', '00280030'), '00280030'));
  const detector = pair(numbers(dataset, '00181164'));
  const isCalibrated = hasValue(dataset, '00280A02');
  const repeatsDetector = spacing && detector && spacing[0] === detector[0] && spacing[1] === detector[1];
  const spacingMm = spacing ?? detector;
  if (spacingMm) {
    const atDetector = detector ? !spacing || repeatsDetector : isProjection(dataset);
    const other = detector ? 'calibrated' : 'patient';
    const source = isCalibrated ? 'calibrated' : atDetector ? 'detector' : other;
    return { spacingMm, spacingSource: source, pixelAspectRatio: spacingMm[0] / spacingMm[1] };
  }
  const [vertical, horizontal] = numbers(dataset, '00280034');
  const ratio = vertical && horizontal && vertical > 0 && horizontal > 0 ? vertical / horizontal : 1;
  return { spacingMm: null, spacingSource: null, pixelAspectRatio: ratio };
}

/** Of these a spacing that does not tell where it holds may be that of the detector, and is not said to be another. */
const PROJECTIONS = new Set(['CR', 'DX', 'IO', 'MG', 'PX', 'RF', 'RG', 'XA']);

const isProjection = (dataset: DicomDataset) => PROJECTIONS.has(text(dataset, '00080060') ?? '');

function pair(values: number[]): readonly [number, number] | null {
  const [row, column] = values;
  return values.length === 2 && row && column && row > 0 && column > 0 ? [row, column] : null;
}

/** Recommended Display Frame Rate, Cine Rate, or the mean of what lies between frames; null: the file does not tell. */
function readFrameRate(dataset: DicomDataset): number | null {
  const told = number(dataset, '00082144') ?? number(dataset, '00180040');
  if (told && told > 0) return told;
  const time = number(dataset, '00181063');
  if (time && time > 0) return 1000 / time;
  // The first entry of Frame Time Vector is 0: it is the time since the frame before (PS3.3 C.7.6.5.1.2).
  const steps = numbers(dataset, '00181065').slice(1).filter(Number.isFinite);
  const total = steps.reduce((sum, step) => sum + step, 0);
  return total > 0 ? (1000 * steps.length) / total : null;
}
