import { readJson, request, requestJson } from './client';
import type { VolumeDetail, VolumeList } from './types';

/**
 * How many volumes there are and which one is the default, without anything about a patient.
 *
 * Returns null when nothing changed since the answer that carried `etag`.
 */
export async function readOverview(
  etag: string | null,
  signal?: AbortSignal,
): Promise<{ list: VolumeList; etag: string | null } | null> {
  const headers: Record<string, string> = etag ? { 'If-None-Match': etag } : {};
  const response = await request('/volumes', { query: { limit: 1, patient: false }, headers, signal });
  if (response.status === 304) return null;
  return { list: await readJson<VolumeList>(response), etag: response.headers.get('ETag') };
}

/** A page of the list of volumes, with whose they are: only after the person opened the picker. */
export function readVolumes(offset: number, limit: number, signal?: AbortSignal): Promise<VolumeList> {
  return requestJson('/volumes', { query: { limit, offset }, signal });
}

/** How a volume is arranged, without anything about the patient. */
export function readVolume(seriesInstanceUid: string, signal?: AbortSignal): Promise<VolumeDetail> {
  return requestJson(`/volumes/${encodeURIComponent(seriesInstanceUid)}`, {
    query: { patient: false },
    signal,
  });
}
