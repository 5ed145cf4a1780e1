import { requestJson } from './client';
import type { Patient } from './types';

/** Whose images a series shows; the default series when none is given. */
export function readPatient(series: string | null, signal?: AbortSignal): Promise<Patient> {
  return requestJson('/patient', { query: { series }, signal });
}
