/** The list of studies and one study of it. Field names are the API's own. */
import { readJson, request, requestJson } from './client';
import type { IndexStatus } from './types';

export interface StudyPatient {
  name: string | null;
  /** Why there is no name. */
  reason?: string | null;
  patient_id: string | null;
  birth_date: string | null;
  sex: string | null;
  /** What other files of the study say instead; to be told, never chosen from. */
  other_names?: { name: string | null; count: number }[];
  other_patient_ids?: string[];
}

export interface Study {
  study_instance_uid: string;
  /** YYYY-MM-DD; null where the files have no valid date. */
  study_date: string | null;
  /** HH:MM or HH:MM:SS. */
  study_time: string | null;
  description: string | null;
  accession_number: string | null;
  modalities: string[];
  /** Those with pictures. */
  series_count: number;
  slice_count: number;
  /** Reports and the like. */
  series_without_pictures?: number;
  verdict: string;
  patient: StudyPatient;
  /** The series that is shown for the study; null where none has pictures. */
  series_instance_uid: string | null;
  /** Its address changes with the picture, so that it may be kept for good. */
  thumbnail: string | null;
}

export interface StudyList {
  studies: Study[];
  /** On all pages. */
  total: number;
  /** Null where adding up would hold the list up. */
  totals?: { series: number; slices: number } | null;
  index: IndexStatus;
}

export interface StudySeries {
  series_instance_uid: string;
  series_number: number | null;
  modality: string | null;
  description: string | null;
  slice_count: number;
  verdict: string;
  has_pictures: boolean;
  series_date: string | null;
  thumbnail: string | null;
}

export interface OtherStudy {
  study_instance_uid: string;
  study_date: string | null;
  description: string | null;
  modalities: string[];
  series_count: number;
  relation?: 'prior' | 'later' | 'same_time' | 'unknown';
}

export interface StudyDetail extends Study {
  series: StudySeries[];
  /** Of the same patient, newest first. */
  other_studies: OtherStudy[];
  /** False where there are so many that only the newest were looked at. */
  other_studies_complete?: boolean;
}

/** The conditions and the page, as `GET /studies` takes them. */
export interface StudyQuery {
  limit: number;
  offset: number;
  sort: string | null;
  query: string | null;
  modality: string[];
  study_date_from: string | null;
  study_date_to: string | null;
  verdict: string | null;
}

export interface StudyAnswer {
  list: StudyList;
  etag: string | null;
}

/** A page of the list; null where nothing changed since the answer that carried `etag`. */
export async function readStudies(
  query: StudyQuery,
  etag: string | null,
  signal?: AbortSignal,
): Promise<StudyAnswer | null> {
  const headers: Record<string, string> = etag ? { 'If-None-Match': etag } : {};
  const response = await request('/studies', { query: { ...query }, headers, signal });
  if (response.status === 304) return null;
  return { list: await readJson<StudyList>(response), etag: response.headers.get('ETag') };
}

/** One study with its series, and the other studies of its patient. */
export function readStudy(studyInstanceUid: string, signal?: AbortSignal): Promise<StudyDetail> {
  return requestJson(`/studies/${encodeURIComponent(studyInstanceUid)}`, { signal });
}
