/**
 * The address of an exact view: which series lie in which cells, and how each is looked at. Nothing in it tells
 * anything about a patient. What cannot be understood is left out, never guessed.
 */

import { PLANE_NAMES, PROJECTIONS, type PlaneName, type Point, type Projection } from '$lib/dicom/planes';

export const LAYOUTS = ['1x1', '1x2', '2x2', 'planes'] as const;
export type Layout = (typeof LAYOUTS)[number];

export const MAX_SLAB_MM = 100;

/** How many pictures a layout shows; planes fill the page with one series. */
export const CELL_COUNTS: Record<Layout, number> = { '1x1': 1, '1x2': 2, '2x2': 4, planes: 1 };

export interface CellLink {
  series: string;
  stack: number | null;
  /** From 1, as it is shown. */
  slice: number | null;
  window: { center: number; width: number } | null;
  zoom: number | null;
  pan: [number, number] | null;
  /** Degrees clockwise. */
  rotation: number | null;
  isFlippedHorizontally: boolean;
  isFlippedVertically: boolean;
  isInverted: boolean;
}

/** How a volume is cut, in the layout `planes`. */
export interface PlanesLink {
  /** The one whose pane is large. */
  large: PlaneName;
  /** The point that all planes go through, in mm; null: the middle. */
  point: Point | null;
  slabMm: number;
  projection: Projection;
}

export interface ViewerLink {
  layout: Layout;
  /** One for each place of the layout; null where it is empty. */
  cells: (CellLink | null)[];
  /** The active cell, from 0. */
  active: number;
  /** None in other layouts. */
  planes?: PlanesLink | null;
}

/** Identifiers are digits and points, at most 64 characters (PS3.5 9.1). */
export const isUid = (text: string) => text.length <= 64 && /^\d+(\.\d+)*$/.test(text);

export function cellLink(series: string, more: Partial<CellLink> = {}): CellLink {
  return {
    series,
    stack: null,
    slice: null,
    window: null,
    zoom: null,
    pan: null,
    rotation: null,
    isFlippedHorizontally: false,
    isFlippedVertically: false,
    isInverted: false,
    ...more,
  };
}

type Read = (name: string) => string | null;

/** Reads the address of a page of the viewer: the series of its path, and its query. */
export function readLink(series: string, query: URLSearchParams): ViewerLink {
  const layout = LAYOUTS.find((one) => one === query.get('layout')) ?? '1x1';
  const others = (query.get('cells') ?? '').split('~').map(readOther);
  const cells = [readCell(series, (name) => query.get(name)), ...others];
  const count = CELL_COUNTS[layout];
  return {
    layout,
    cells: Array.from({ length: count }, (_, place) => cells[place] ?? null),
    active: Math.min(Math.max((whole(query.get('active')) ?? 1) - 1, 0), count - 1),
    planes: layout === 'planes' ? readPlanes((name) => query.get(name)) : null,
  };
}

function readPlanes(read: Read): PlanesLink {
  const [x, y, z, ...rest] = (read('point') ?? '').split(',').map(number);
  const isPoint = x != null && y != null && z != null && rest.length === 0;
  const slab = number(read('slab')) ?? 0;
  return {
    large: PLANE_NAMES.find((name) => name === read('plane')) ?? 'axial',
    point: isPoint ? [x, y, z] : null,
    slabMm: slab > 0 && slab <= MAX_SLAB_MM ? slab : 0,
    projection: PROJECTIONS.find((name) => name === read('projection')) ?? 'average',
  };
}

/** `1.2.3;slice=4;zoom=2` */
function readOther(text: string): CellLink | null {
  const [series = '', ...members] = text.split(';');
  if (!isUid(series)) return null;
  const values = new Map(members.map((member) => [member.split('=')[0], member.split('=')[1] ?? null]));
  return readCell(series, (name) => values.get(name) ?? null);
}

function readCell(series: string, read: Read): CellLink {
  const [center, width] = pair(read('window')) ?? [0, 0];
  const zoom = number(read('zoom'));
  const rotation = number(read('rotate'));
  const slice = whole(read('slice'));
  const flip = read('flip') ?? '';
  return cellLink(series, {
    stack: whole(read('stack')),
    slice: slice && slice > 0 ? slice : null,
    window: width > 0 ? { center, width } : null,
    zoom: zoom && zoom >= 0.01 && zoom <= 100 ? zoom : null,
    pan: pair(read('pan')),
    rotation: rotation && rotation % 90 === 0 ? ((rotation % 360) + 360) % 360 : null,
    isFlippedHorizontally: flip.includes('h'),
    isFlippedVertically: flip.includes('v'),
    isInverted: read('invert') === '1',
  });
}

/** The address of a view, from the root of the site. */
export function writeLink({ layout, cells, active, planes }: ViewerLink, fallbackSeries: string): string {
  const [first, ...others] = cells;
  const members = first ? writeCell(first) : [];
  if (layout !== '1x1') members.push(`layout=${layout}`);
  const rest = others.map((cell) => (cell ? [cell.series, ...writeCell(cell)].join(';') : '')).join('~');
  if (/[^~]/.test(rest)) members.push(`cells=${rest.replace(/~+$/, '')}`);
  if (active > 0) members.push(`active=${active + 1}`);
  if (planes) members.push(...writePlanes(planes));
  const path = `/viewer/${encodeURIComponent(first?.series ?? fallbackSeries)}`;
  return members.length > 0 ? `${path}?${members.join('&')}` : path;
}

function writeCell(cell: CellLink): string[] {
  const { stack, slice, window, zoom, pan, rotation } = cell;
  const flip = `${cell.isFlippedHorizontally ? 'h' : ''}${cell.isFlippedVertically ? 'v' : ''}`;
  const members: [string, string | number | null][] = [
    ['stack', stack],
    ['slice', slice],
    ['window', window && `${short(window.center)},${short(window.width)}`],
    ['zoom', zoom === null || Math.abs(zoom - 1) < 0.0005 ? null : short(zoom)],
    ['pan', pan && pan.some((one) => Math.abs(one) >= 0.0005) ? pan.map(short).join(',') : null],
    ['rotate', rotation || null],
    ['flip', flip || null],
    ['invert', cell.isInverted ? 1 : null],
  ];
  return members.filter(([, value]) => value !== null).map(([name, value]) => `${name}=${value}`);
}

function writePlanes({ large, point, slabMm, projection }: PlanesLink): string[] {
  return [
    ...(large === 'axial' ? [] : [`plane=${large}`]),
    ...(point ? [`point=${point.map(short).join(',')}`] : []),
    ...(slabMm > 0 ? [`slab=${short(slabMm)}`] : []),
    ...(projection === 'average' ? [] : [`projection=${projection}`]),
  ];
}

const short = (value: number) => String(Number(value.toPrecision(6)));

function number(text: string | null): number | null {
  if (text === null || !/^-?\d+(\.\d+)?(e-?\d+)?$/i.test(text)) return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

function whole(text: string | null): number | null {
  return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null;
}

function pair(text: string | null): [number, number] | null {
  const [first, second, ...rest] = (text ?? '').split(',').map(number);
  return first == null || second == null || rest.length > 0 ? null : [first, second];
}
