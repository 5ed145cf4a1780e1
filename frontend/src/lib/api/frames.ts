/** Slices of a stack, their pixels, and the attributes of their files. */
import { request, requestJson } from './client';
import { UnexpectedAnswerError } from './problem';

/** One slice of a stack. */
export interface ListedSlice {
  /** From 0. */
  index: number;
  sop_instance_uid: string;
  /** From 1. */
  frame_number: number;
  position_mm: number | null;
  /** Why its pixels cannot be given. */
  refused: { code: string; detail: string } | null;
}

export interface SliceList {
  series_instance_uid: string;
  study_instance_uid: string;
  stack: number | null;
  /** Changes with any file of the stack, and with their order. */
  version: string;
  /** Of the largest frame, without compression. */
  frame_bytes: number;
  /** Of all frames, without compression. */
  total_bytes: number;
  slices: ListedSlice[];
}

/** An element of the DICOM JSON model (PS3.18 F.2.2). */
export interface DicomElement {
  vr: string;
  Value?: unknown[];
  InlineBinary?: string;
  BulkDataURI?: string;
  /** What is at `BulkDataURI`, once it was asked for. */
  bytes?: Uint8Array<ArrayBuffer>;
}

/** A data set in the DICOM JSON model, by tags of eight hexadecimal digits. */
export type DicomDataset = Record<string, DicomElement | undefined>;

/** Frames may take long on a slow line; the reader watches whether bytes still come. */
const BODY_TIMEOUT_MS = 15 * 60_000;
/** They may have to be made from files that are far away. */
const METADATA_TIMEOUT_MS = 5 * 60_000;

export function readSliceList(
  series: string,
  stack: number | null,
  signal?: AbortSignal,
): Promise<SliceList> {
  return requestJson(`/volumes/${encodeURIComponent(series)}/slices`, { query: { stack }, signal });
}

/** Slices that follow each other, of the list with this version. */
export interface SliceRange {
  series: string;
  stack: number | null;
  first: number;
  count: number;
  version: string;
}

export interface FrameRange extends SliceRange {
  /** Asks the server whatever the browser has kept: an answer that is kept for ever may tell of a passing problem. */
  isFresh?: boolean;
}

export interface FrameStream {
  body: ReadableStream<Uint8Array>;
  boundary: string;
}

/** The pixels of some slices, one part each in their order: `multipart/related`, to be read as it comes in. */
export async function openFrames(range: FrameRange, signal?: AbortSignal): Promise<FrameStream> {
  const { series, isFresh, ...query } = range;
  const response = await request(`/volumes/${encodeURIComponent(series)}/frames`, {
    query,
    signal,
    cache: isFresh ? 'reload' : 'default',
    timeoutMs: BODY_TIMEOUT_MS,
  });
  const boundary = /boundary="?([^";]+)"?/i.exec(response.headers.get('Content-Type') ?? '')?.[1];
  if (!boundary || !response.body) throw new UnexpectedAnswerError('web-page', response.status);
  return { body: response.body, boundary };
}

/** Where the attributes of one file of a series, or of all, are to be had. */
function metadataPath(study: string, series: string, instance: string | null): string {
  const parts = ['studies', study, 'series', series, ...(instance ? ['instances', instance] : [])];
  return `/dicomweb/${parts.map(encodeURIComponent).join('/')}/metadata`;
}

/** The attributes of one file of a series, or of all. */
export async function readMetadata(
  study: string,
  series: string,
  instance: string | null,
  signal?: AbortSignal,
): Promise<DicomDataset[]> {
  const path = metadataPath(study, series, instance);
  return requestJson<DicomDataset[]>(path, {
    headers: { Accept: 'application/dicom+json' },
    signal,
    timeoutMs: METADATA_TIMEOUT_MS,
  });
}

/** The attributes of the files of some slices, each file once. */
export function readSliceMetadata(range: SliceRange, signal?: AbortSignal): Promise<DicomDataset[]> {
  const { series, ...query } = range;
  return requestJson(`/volumes/${encodeURIComponent(series)}/metadata`, {
    query,
    headers: { Accept: 'application/dicom+json' },
    signal,
    timeoutMs: METADATA_TIMEOUT_MS,
  });
}

/** Bytes that attributes only refer to, such as those of a large lookup table; `uri` is relative to the attributes. */
export async function readBulkData(
  study: string,
  series: string,
  instance: string | null,
  uri: string,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const base = new URL(metadataPath(study, series, instance), location.origin);
  const { pathname, search } = new URL(uri, base);
  const response = await request(`${pathname}${search}`, {
    headers: { Accept: 'application/octet-stream' },
    signal,
  });
  return new Uint8Array(await response.arrayBuffer());
}
