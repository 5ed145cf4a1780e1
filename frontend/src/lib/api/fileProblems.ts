import { requestJson } from './client';
import type { FileProblemList } from './types';

export type FileProblemSort = 'path' | '-read_at' | '-modified' | '-size';

export interface FileProblemQuery {
  /** Only files with this code; null: all. */
  code: string | null;
  sort: FileProblemSort;
  offset: number;
  limit: number;
}

/** A page of the files of the data directory that are not shown. */
export function readFileProblems(query: FileProblemQuery, signal?: AbortSignal): Promise<FileProblemList> {
  return requestJson('/index/problems', { query: { ...query }, signal });
}
