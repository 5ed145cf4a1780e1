/**
 * Cuts planes from slices, voxel for voxel as the server does (docs/decisions/0064): within a plane
 * linear between the two nearest voxels, slices moved to where a tilted gantry put them, padding and missing slices
 * without a value (NaN). No volume is built: the slices stay where they are, and are in memory once.
 */
import { apply, inverse, type Affine, type Plane, type Projection } from '$lib/dicom/planes';

/** The slices of a stack. */
export interface Slices {
  rows: number;
  columns: number;
  count: number;
  /** From (column, row, slice) to the patient. */
  affine: Affine;
  /** Modality values of a slice, row by row; undefined while it is not here. */
  values(slice: number): ArrayLike<number> | undefined;
  /** Values of a slice that are no picture. */
  padding(slice: number): { low: number; high: number } | null;
}

/** An axis of the straightened stack: 0 along the rows, 1 along the columns, 2 through the slices. */
type Axis = 0 | 1 | 2;

interface Grid {
  /** By how many pixels each slice lies beside the one before, along rows and columns. */
  shifts: readonly [number, number];
  /** First whole place along rows and columns, in pixels of the first slice, and how many there are. */
  starts: readonly [number, number, number];
  counts: readonly [number, number, number];
}

/** For each axis of the picture (columns, rows, planes): which axis of the grid, where it begins, and its steps. */
interface Mapping {
  axes: [Axis, Axis, Axis];
  first: [number, number, number];
  steps: [number, number, number];
}

const BARELY = 1e-4;
const STRAIGHT_PIXELS = 0.05;

/** A part of the volume brought to voxels behind each other: `height` lines of `width` values. */
interface Sheet {
  width: number;
  height: number;
  values: Float32Array;
}

/** The picture of a plane or slab: `plane.rows` × `plane.columns` modality values, NaN where nothing is known. */
export function cutPlane(
  slices: Slices,
  plane: Plane,
  [first, last]: readonly [number, number],
  projection: Projection,
): Float32Array<ArrayBuffer> {
  const grid = gridOf(slices);
  const { axes, first: origins, steps } = mappingOf(grid, slices, plane);
  const [across, down, through] = axes;
  const places = [first, last].map((index) => Math.round(origins[2] + index * steps[2]));
  const range: [number, number] = [Math.min(...places), Math.max(...places)];
  const sheet =
    through === 2
      ? projectSlices(slices, grid, range, projection)
      : projectAcross(slices, grid, through, range, projection);
  // Sheets lie with the lower axis along their lines.
  const isTurned = across > down;
  const columnPlaces = placesAlong(plane.columns, origins[0], steps[0], grid.starts[across]);
  const rowPlaces = placesAlong(plane.rows, origins[1], steps[1], grid.starts[down]);
  return isTurned
    ? transpose(resample(sheet, rowPlaces, columnPlaces), plane.rows, plane.columns)
    : resample(sheet, columnPlaces, rowPlaces);
}

function gridOf({ affine, rows, columns, count }: Slices): Grid {
  const column = (i: number): [number, number, number] => [
    affine[0]?.[i] ?? 0,
    affine[1]?.[i] ?? 0,
    affine[2]?.[i] ?? 0,
  ];
  const [right, down, step] = [column(0), column(1), column(2)];
  const last = count - 1;
  const shifts = [right, down].map((axis) => {
    const shift = dot(axis, step) / dot(axis, axis);
    return Math.abs(shift) * last < STRAIGHT_PIXELS ? 0 : shift;
  }) as [number, number];
  const starts = shifts.map((shift) => Math.min(0, shift * last)) as [number, number];
  const widths = shifts.map((shift) => Math.ceil(Math.abs(shift) * last - 1e-6)) as [number, number];
  return { shifts, starts: [...starts, 0], counts: [columns + widths[0], rows + widths[1], count] };
}

function mappingOf(grid: Grid, slices: Slices, plane: Plane): Mapping {
  const back = inverse(slices.affine);
  const toGrid = (column: number, row: number, index: number) => {
    const [i, j, k] = apply(back, apply(plane.affine, [column, row, index]));
    return [i + k * grid.shifts[0], j + k * grid.shifts[1], k] as const;
  };
  const origin = toGrid(0, 0, 0);
  const ends = [toGrid(1, 0, 0), toGrid(0, 1, 0), toGrid(0, 0, 1)];
  const axes = ends.map((end) => {
    const sizes = end.map((value, axis) => Math.abs(value - (origin[axis] ?? 0)));
    return sizes.indexOf(Math.max(...sizes));
  }) as [Axis, Axis, Axis];
  const first = axes.map((axis) => origin[axis]) as [number, number, number];
  const steps = axes.map((axis, i) => (ends[i]?.[axis] ?? 0) - origin[axis]) as [number, number, number];
  // Planes are counted in whole places of the grid.
  first[2] -= grid.starts[axes[2]];
  return { axes, first, steps };
}

function placesAlong(count: number, first: number, step: number, start: number): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => first - start + i * step);
}

/** Slices on top of each other, each moved to its place. */
function projectSlices(
  slices: Slices,
  grid: Grid,
  [first, last]: [number, number],
  projection: Projection,
): Sheet {
  const [width, height] = grid.counts;
  const gather = new Gathering(width * height, projection, first === last);
  for (let slice = first; slice <= last; slice++) {
    const source = sourceOf(slices, slice);
    if (!source) continue;
    const [left, top] = placeOf(grid, slice);
    for (let row = 0; row < height; row++) {
      addLine(gather, row * width, width, source, left, top + row);
    }
  }
  return { width, height, values: gather.result() };
}

/** A line (or column) of each slice, or some of them behind each other. */
function projectAcross(
  slices: Slices,
  grid: Grid,
  through: 0 | 1,
  [first, last]: [number, number],
  projection: Projection,
): Sheet {
  const width = grid.counts[through === 1 ? 0 : 1];
  const height = slices.count;
  const gather = new Gathering(width * height, projection, first === last);
  for (let slice = 0; slice < height; slice++) {
    const source = sourceOf(slices, slice);
    if (!source) continue;
    const [left, top] = placeOf(grid, slice);
    for (let place = first; place <= last; place++) {
      if (through === 1) addLine(gather, slice * width, width, source, left, top + place);
      else addColumn(gather, slice * width, width, source, left + place, top);
    }
  }
  return { width, height, values: gather.result() };
}

function sourceOf(slices: Slices, slice: number): Source | null {
  const values = slices.values(slice);
  const { rows, columns } = slices;
  return values ? { values, padding: slices.padding(slice) ?? NO_PADDING, rows, columns } : null;
}

/** Where the grid begins in a slice, in its own pixels. */
function placeOf({ starts, shifts }: Grid, slice: number): [left: number, top: number] {
  return [starts[0] - slice * shifts[0], starts[1] - slice * shifts[1]];
}

interface Padding {
  low: number;
  high: number;
}

const NO_PADDING: Padding = { low: Infinity, high: -Infinity };

/** A slice with its padding. */
interface Source {
  values: ArrayLike<number>;
  padding: Padding;
  rows: number;
  columns: number;
}

/** A part of a line of the slice, from `left` on. */
function addLine(
  gather: Gathering,
  to: number,
  width: number,
  source: Source,
  left: number,
  row: number,
): void {
  const { rows, columns } = source;
  if (isWhole(left) && isWhole(row)) {
    const [start, line] = [Math.round(left), Math.round(row)];
    if (line < 0 || line >= rows) return;
    const from = Math.max(0, -start);
    const end = Math.min(width, columns - start);
    gather.addRun(to + from, end - from, source, line * columns + start + from, 1);
    return;
  }
  if (isWhole(left)) {
    if (row < 0 || row > rows - 1) return;
    const from = Math.max(0, -Math.round(left));
    const end = Math.min(width, columns - Math.round(left));
    const at = Math.floor(row) * columns + Math.round(left) + from;
    gather.addBlend(to + from, end - from, source, at, 1, row - Math.floor(row));
    return;
  }
  for (let i = 0; i < width; i++) gather.add(to + i, between(source, left + i, row));
}

/** A part of a column of the slice, from `top` on. */
function addColumn(
  gather: Gathering,
  to: number,
  width: number,
  source: Source,
  column: number,
  top: number,
): void {
  const { rows, columns } = source;
  if (isWhole(column) && isWhole(top)) {
    const [start, place] = [Math.round(top), Math.round(column)];
    if (place < 0 || place >= columns) return;
    const from = Math.max(0, -start);
    const end = Math.min(width, rows - start);
    gather.addRun(to + from, end - from, source, (start + from) * columns + place, columns);
    return;
  }
  if (isWhole(column)) {
    if (Math.round(column) < 0 || Math.round(column) >= columns) return;
    const from = Math.max(0, Math.ceil(-top));
    const end = Math.min(width, Math.floor(rows - 1 - top) + 1);
    const first = Math.floor(top + from);
    const at = first * columns + Math.round(column);
    gather.addBlend(to + from, end - from, source, at, columns, top + from - first);
    return;
  }
  for (let i = 0; i < width; i++) gather.add(to + i, between(source, column, top + i));
}

/** Between four pixels of a slice; NaN beside it. */
function between({ values, padding, rows, columns }: Source, x: number, y: number): number {
  if (x < -BARELY || y < -BARELY || x > columns - 1 + BARELY || y > rows - 1 + BARELY) return NaN;
  const [i, j] = [clip(x, columns - 1), clip(y, rows - 1)];
  const [left, top] = [Math.floor(i), Math.floor(j)];
  const [right, bottom] = [Math.min(left + 1, columns - 1), Math.min(top + 1, rows - 1)];
  const read = (at: number) => known(values[at] as number, padding);
  return mix(
    mix(read(top * columns + left), read(bottom * columns + left), j - top),
    mix(read(top * columns + right), read(bottom * columns + right), j - top),
    i - left,
  );
}

const known = (value: number, { low, high }: Padding) => (value >= low && value <= high ? NaN : value);

/** Linear; beside a value that is not known the nearer one counts alone. */
function mix(low: number, high: number, weight: number): number {
  if (weight === 0) return low;
  const found = low + weight * (high - low);
  return Number.isNaN(found) ? (weight < 0.5 ? low : high) : found;
}

/** What lies behind each other, brought to one value. */
class Gathering {
  readonly #projection: Projection | 'single';
  readonly #values: Float32Array;
  readonly #sums: Float64Array;
  readonly #counts: Uint16Array;

  /** Of a single plane there is nothing to project. */
  constructor(length: number, projection: Projection, isSingle: boolean) {
    this.#projection = isSingle ? 'single' : projection;
    const needed = this.#projection === 'average' ? length : 0;
    this.#values = new Float32Array(length).fill(NaN);
    this.#sums = new Float64Array(needed);
    this.#counts = new Uint16Array(needed);
  }

  add(at: number, value: number): void {
    if (Number.isNaN(value)) return;
    switch (this.#projection) {
      case 'single':
        this.#values[at] = value;
        break;
      case 'average':
        this.#sums[at] = (this.#sums[at] as number) + value;
        this.#counts[at] = (this.#counts[at] as number) + 1;
        break;
      case 'maximum':
        if (!((this.#values[at] as number) >= value)) this.#values[at] = value;
        break;
      case 'minimum':
        if (!((this.#values[at] as number) <= value)) this.#values[at] = value;
    }
  }

  /** Many values that stand `stride` apart; the loops are what most of the time goes into. */
  addRun(
    to: number,
    count: number,
    { values, padding: { low, high } }: Source,
    from: number,
    stride: number,
  ) {
    const result = this.#values;
    if (this.#projection === 'single') {
      for (let i = 0, at = from; i < count; i++, at += stride) {
        const value = values[at] as number;
        if (!(value >= low && value <= high)) result[to + i] = value;
      }
    } else if (this.#projection === 'average') {
      const [sums, counts] = [this.#sums, this.#counts];
      for (let i = to, at = from; i < to + count; i++, at += stride) {
        const value = values[at] as number;
        if ((value >= low && value <= high) || value !== value) continue;
        sums[i] = (sums[i] as number) + value;
        counts[i] = (counts[i] as number) + 1;
      }
    } else {
      const sign = this.#projection === 'maximum' ? 1 : -1;
      for (let i = to, at = from; i < to + count; i++, at += stride) {
        const value = values[at] as number;
        if (value >= low && value <= high) continue;
        const before = result[i] as number;
        if (before !== before || (value - before) * sign > 0) result[i] = value;
      }
    }
  }

  /** Values between two lines of a slice, which stand one below the other: what a tilted gantry asks for. */
  addBlend(to: number, count: number, source: Source, from: number, stride: number, weight: number) {
    const { values, padding, columns } = source;
    for (let i = 0, at = from; i < count; i++, at += stride) {
      const [low, high] = [values[at] as number, values[at + columns] as number];
      this.add(to + i, mix(known(low, padding), known(high, padding), weight));
    }
  }

  result(): Float32Array {
    for (let at = 0; at < this.#sums.length; at++) {
      const count = this.#counts[at] as number;
      if (count > 0) this.#values[at] = (this.#sums[at] as number) / count;
    }
    return this.#values;
  }
}

/** Values of a sheet at places along its lines and from line to line. */
function resample({ width, height, values }: Sheet, across: Float64Array, down: Float64Array) {
  if (isPlain(across, width) && isPlain(down, height)) return values as Float32Array<ArrayBuffer>;
  const [columns, rows] = [neighboursOf(across, width), neighboursOf(down, height)];
  const result = new Float32Array(across.length * down.length);
  for (let row = 0, to = 0; row < down.length; row++) {
    const [above, below] = [(rows.low[row] as number) * width, (rows.high[row] as number) * width];
    const weight = rows.weight[row] as number;
    for (let column = 0; column < across.length; column++, to++) {
      const [left, right] = [columns.low[column] as number, columns.high[column] as number];
      const share = columns.weight[column] as number;
      const first = mix(values[above + left] as number, values[below + left] as number, weight);
      result[to] =
        share === 0
          ? first
          : mix(first, mix(values[above + right] as number, values[below + right] as number, weight), share);
    }
  }
  return result;
}

/** Whether places are the values themselves, in order. */
function isPlain(places: Float64Array, count: number): boolean {
  return places.length === count && places.every((place, i) => Math.abs(place - i) < BARELY);
}

function neighboursOf(places: Float64Array, count: number) {
  const low = new Int32Array(places.length);
  const high = new Int32Array(places.length);
  const weight = new Float64Array(places.length);
  places.forEach((place, i) => {
    const at = isWhole(place) ? clip(Math.round(place), count - 1) : clip(place, count - 1);
    low[i] = Math.floor(at);
    high[i] = Math.min(Math.floor(at) + 1, count - 1);
    weight[i] = at - Math.floor(at);
  });
  return { low, high, weight };
}

function transpose(values: Float32Array, rows: number, columns: number): Float32Array<ArrayBuffer> {
  const result = new Float32Array(values.length);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      result[row * columns + column] = values[column * rows + row] as number;
  return result;
}

const isWhole = (value: number) => Math.abs(value - Math.round(value)) < BARELY;
const clip = (value: number, last: number) => Math.max(0, Math.min(value, last));
const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
