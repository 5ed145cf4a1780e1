/**
 * What the address of the study list says: page, order, filters and the study in the preview. The text of the search
 * is not in it: addresses end up in histories and logs, and the text is likely to be a patient's name or ID
 * (docs/decisions, "The text of a search stays out of the address").
 */
import type { StudyQuery } from '$lib/api/studies';

export const SORT_COLUMNS = [
  'patient_name',
  'patient_id',
  'description',
  'modality',
  'study_date',
  'series_count',
  'slice_count',
  'accession_number',
  'verdict',
] as const;
export type SortColumn = (typeof SORT_COLUMNS)[number];

/** Newest and largest first, where somebody sorts by them for the first time. */
const DESCENDING_FIRST: ReadonlySet<SortColumn> = new Set(['study_date', 'series_count', 'slice_count']);

export interface Sort {
  column: SortColumn;
  isDescending: boolean;
}

export const DEFAULT_SORT: Sort = { column: 'study_date', isDescending: true };

export const VERDICTS = [
  'volume',
  'volume_variable_spacing',
  'volume_tilted',
  'volume_4d',
  'localizer',
  'cine',
  'single_image',
  'no_geometry',
  'empty',
] as const;

export const PAGE_SIZES = [25, 50, 100, 200] as const;
export const DEFAULT_SIZE = 50;

/** Days that end today: how many of them. */
export const DATE_PRESETS = { today: 1, '7d': 7, '30d': 30, year: 365 } as const;
export type DatePreset = keyof typeof DATE_PRESETS;

/** A span that moves with the calendar, or fixed days (YYYY-MM-DD), either of them open. */
export type Dates = { preset: DatePreset } | { from: string | null; to: string | null };

export interface StudyListAddress {
  /** From 1. */
  page: number;
  size: number;
  sort: Sort;
  modalities: string[];
  verdict: string | null;
  dates: Dates | null;
  /** The study in the preview. */
  study: string | null;
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;
const MODALITY = /^[A-Z0-9_]{1,16}$/;
const UID = /^[0-9.]{1,64}$/;
/** So many the server takes. */
const MOST_MODALITIES = 20;
const MAX_PAGE = 1_000_000;

/** Reads an address; what makes no sense in it is left out rather than asked for. */
export function parseAddress(parameters: URLSearchParams): StudyListAddress {
  const page = Number(parameters.get('page'));
  const size = Number(parameters.get('size'));
  const study = parameters.get('study') ?? '';
  const verdict = parameters.get('verdict') ?? '';
  const modalities = parameters.getAll('modality').map((one) => one.toUpperCase());
  const known: readonly string[] = VERDICTS;
  return {
    page: Number.isInteger(page) && page >= 1 && page <= MAX_PAGE ? page : 1,
    size: (PAGE_SIZES as readonly number[]).includes(size) ? size : DEFAULT_SIZE,
    sort: parseSort(parameters.get('sort')) ?? DEFAULT_SORT,
    modalities: unique(modalities.filter((one) => MODALITY.test(one))).slice(0, MOST_MODALITIES),
    verdict: known.includes(verdict) ? verdict : null,
    dates: parseDates(parameters),
    study: UID.test(study) ? study : null,
  };
}

function parseSort(text: string | null): Sort | null {
  const column = text?.replace(/^-/, '');
  return SORT_COLUMNS.includes(column as SortColumn)
    ? { column: column as SortColumn, isDescending: text?.startsWith('-') ?? false }
    : null;
}

function parseDates(parameters: URLSearchParams): Dates | null {
  const preset = parameters.get('date') ?? '';
  if (Object.hasOwn(DATE_PRESETS, preset)) return { preset: preset as DatePreset };
  const [from, to] = [readDay(parameters.get('from')), readDay(parameters.get('to'))];
  if (from === null && to === null) return null;
  return from !== null && to !== null && from > to ? { from: to, to: from } : { from, to };
}

/** A day of the calendar, or null: there is no 31 February to ask for. */
export function readDay(text: string | null): string | null {
  if (!text || !DAY.test(text)) return null;
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text) ? text : null;
}

const unique = <T>(items: T[]) => [...new Set(items)];

/** The address as query parameters; what is usual is left out. */
export function writeAddress(address: StudyListAddress): string {
  const { page, size, sort, modalities, verdict, dates, study } = address;
  const parameters = new URLSearchParams();
  for (const one of modalities) parameters.append('modality', one);
  if (dates && 'preset' in dates) parameters.set('date', dates.preset);
  else if (dates) {
    if (dates.from) parameters.set('from', dates.from);
    if (dates.to) parameters.set('to', dates.to);
  }
  if (verdict) parameters.set('verdict', verdict);
  if (!isSameSort(sort, DEFAULT_SORT)) parameters.set('sort', writeSort(sort));
  if (size !== DEFAULT_SIZE) parameters.set('size', String(size));
  if (page !== 1) parameters.set('page', String(page));
  if (study) parameters.set('study', study);
  const text = parameters.toString();
  return text ? `/studies?${text}` : '/studies';
}

const writeSort = ({ column, isDescending }: Sort) => `${isDescending ? '-' : ''}${column}`;
const isSameSort = (one: Sort, other: Sort) => writeSort(one) === writeSort(other);

/** The order after a click on the head of a column: the other way round, or that column. */
export function nextSort(sort: Sort, column: SortColumn): Sort {
  const isSame = sort.column === column;
  return { column, isDescending: isSame ? !sort.isDescending : DESCENDING_FIRST.has(column) };
}

/** The first and last day of a filter, as the calendar on the wall has them. */
export function daysOf(dates: Dates | null, now: Date): { from: string | null; to: string | null } {
  if (!dates) return { from: null, to: null };
  if (!('preset' in dates)) return dates;
  const first = new Date(now.getFullYear(), now.getMonth(), now.getDate() + 1 - DATE_PRESETS[dates.preset]);
  return { from: writeDay(first), to: writeDay(now) };
}

function writeDay(date: Date): string {
  const [year, month, day] = [date.getFullYear(), date.getMonth() + 1, date.getDate()];
  return [String(year).padStart(4, '0'), ...[month, day].map((n) => String(n).padStart(2, '0'))].join('-');
}

/** What to ask the server for. */
export function toQuery(address: StudyListAddress, text: string, now: Date): StudyQuery {
  const { from, to } = daysOf(address.dates, now);
  return {
    limit: address.size,
    offset: (address.page - 1) * address.size,
    sort: writeSort(address.sort),
    query: text.trim() || null,
    modality: address.modalities,
    study_date_from: from,
    study_date_to: to,
    verdict: address.verdict,
  };
}

/** What shows everything again, but for the text. */
export const NO_FILTERS = {
  modalities: [],
  verdict: null,
  dates: null,
  page: 1,
} satisfies Partial<StudyListAddress>;

/** How many conditions there are beside the text. */
export function countFilters({ modalities, verdict, dates }: StudyListAddress): number {
  return [modalities.length > 0, verdict !== null, dates !== null].filter(Boolean).length;
}
