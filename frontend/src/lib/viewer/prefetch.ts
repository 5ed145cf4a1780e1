/** Which frames are fetched together, and in which order: pure arithmetic. */

/** Frames of a request, by their size: a few MB, so that the first picture does not wait for its neighbours. */
const CHUNK_BYTES = 4 * 2 ** 20;
const MAX_CHUNK = 32;

/**
 * Slices in one request. It follows from the size alone, so that addresses repeat and the browser's cache answers the
 * second time.
 */
export function chunkSize(frameBytes: number): number {
  const fitting = Math.floor(CHUNK_BYTES / Math.max(1, frameBytes));
  return Math.min(MAX_CHUNK, Math.max(1, 2 ** Math.floor(Math.log2(Math.max(1, fitting)))));
}

export interface Chunk {
  first: number;
  count: number;
}

export function chunkOf(index: number, size: number, count: number): Chunk {
  const first = index - (index % size);
  return { first, count: Math.min(size, count - first) };
}

/** All chunks, that of `index` first, then outwards, the nearer side before the farther. */
export function chunksAround(index: number, size: number, count: number): Chunk[] {
  const distance = ({ first, count: length }: Chunk) =>
    index < first ? first - index : index >= first + length ? index - (first + length - 1) : 0;
  const chunks: Chunk[] = [];
  for (let first = 0; first < count; first += size) chunks.push(chunkOf(first, size, count));
  return chunks.sort((a, b) => distance(a) - distance(b) || b.first - a.first);
}

/** Slices that stay in memory around the current one, where not all fit. */
export function windowAround(index: number, count: number, kept: number): { first: number; end: number } {
  const first = Math.max(0, Math.min(index - Math.floor(kept / 2), count - kept));
  return { first, end: Math.min(count, first + kept) };
}
