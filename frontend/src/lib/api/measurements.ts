import type { MeasuredValues, MeasurementContent, MeasurementKind } from '$lib/measurements/types';
import type { ImagePoint } from '$lib/viewer/types';
import { readBody, readJson, request } from './client';

/** A measurement as the API tells it. */
export interface MeasurementAnswer {
  id: string;
  version: string;
  kind: MeasurementKind;
  label: string;
  study_instance_uid: string;
  series_instance_uid: string;
  sop_instance_uid: string;
  frame_number: number;
  plane: string;
  points: number[][];
  values: MeasuredValues;
  created: string;
  updated: string;
}

/** A measurement that the server keeps. */
export interface StoredMeasurement {
  id: string;
  version: string;
  content: MeasurementContent;
  created: string;
}

export interface MeasurementList {
  measurements: StoredMeasurement[];
  etag: string | null;
}

/** Waiting longer for a few hundred bytes makes nobody happier. */
const TIMEOUT_MS = 15_000;

/** What the user measured in a series; null: nothing has changed since the list with this tag. */
export async function readMeasurements(
  series: string,
  etag: string | null = null,
  signal?: AbortSignal,
): Promise<MeasurementList | null> {
  const response = await request('/measurements', {
    query: { series },
    headers: etag ? { 'If-None-Match': etag } : {},
    signal,
    timeoutMs: TIMEOUT_MS,
  });
  if (response.status === 304) return null;
  const { measurements } = await readJson<{ measurements: MeasurementAnswer[] }>(response);
  // Those on cut planes have places in the patient instead of points on an image.
  const onImages = measurements.filter(({ plane }) => plane === 'acquired');
  return { measurements: onImages.map(toStored), etag: response.headers.get('ETag') };
}

/** Saves a new measurement (`version` null), or changes the version that is known. */
export async function saveMeasurement(
  id: string,
  content: MeasurementContent,
  version: string | null,
): Promise<StoredMeasurement> {
  const { place } = content;
  const response = await request(`/measurements/${id}`, {
    method: 'PUT',
    headers: version === null ? { 'If-None-Match': '*' } : { 'If-Match': `"${version}"` },
    json: {
      kind: content.kind,
      label: content.label,
      study_instance_uid: place.studyInstanceUid,
      series_instance_uid: place.seriesInstanceUid,
      sop_instance_uid: place.sopInstanceUid,
      frame_number: place.frameNumber,
      points: content.points,
      values: content.values,
    },
    timeoutMs: TIMEOUT_MS,
  });
  return toStored(await readJson<MeasurementAnswer>(response));
}

/** `version` null: whatever version there is. */
export async function deleteMeasurement(id: string, version: string | null): Promise<void> {
  await request(`/measurements/${id}`, {
    method: 'DELETE',
    headers: { 'If-Match': version === null ? '*' : `"${version}"` },
    timeoutMs: TIMEOUT_MS,
  });
}

/** The table for spreadsheets. */
export async function exportMeasurements(of: { study: string } | { series: string }): Promise<Blob> {
  const response = await request('/measurements.csv', { query: { ...of } });
  return readBody(response, () => response.blob());
}

export function toStored(answer: MeasurementAnswer): StoredMeasurement {
  const { id, version, kind, label, points, values, created } = answer;
  const place = {
    studyInstanceUid: answer.study_instance_uid,
    seriesInstanceUid: answer.series_instance_uid,
    sopInstanceUid: answer.sop_instance_uid,
    frameNumber: answer.frame_number,
  };
  const onImage = points.map(([column, row]): ImagePoint => [column ?? 0, row ?? 0]);
  // The server fills in the values that a kind has not.
  const known = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
  return { id, version, created, content: { kind, label, place, points: onImage, values: known } };
}
