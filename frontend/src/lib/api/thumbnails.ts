import { mediaType, readBody, request } from './client';
import { UnexpectedAnswerError } from './problem';

/** A small picture by the address that a study or series gives. The browser may keep it: other pixels, other address. */
export async function readThumbnail(address: string, signal?: AbortSignal): Promise<Blob> {
  const response = await request(address, { signal });
  if (!mediaType(response).startsWith('image/')) {
    throw new UnexpectedAnswerError('not-image', response.status);
  }
  return readBody(response, () => response.blob(), signal);
}
