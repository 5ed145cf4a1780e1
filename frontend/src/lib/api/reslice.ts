/** Planes that the server cuts. */
import type { PlaneName, Projection } from '$lib/dicom/planes';
import { mediaType, readBody, request } from './client';
import { UnexpectedAnswerError } from './problem';
import { isWholePng } from './slice';

export interface ResliceAddress {
  series: string;
  stack: number;
  plane: PlaneName;
  index: number;
  slab_mm: number;
  projection: Projection;
  center: number | null;
  width: number | null;
}

export interface Reslice {
  picture: Blob;
  index: number;
  window: { center: number; width: number; source: string } | null;
}

export async function readReslice(address: ResliceAddress, signal?: AbortSignal): Promise<Reslice> {
  const response = await request('/reslice', { query: { ...address }, signal });
  const type = mediaType(response);
  if (type === 'text/html') throw new UnexpectedAnswerError('web-page', response.status);
  if (type !== 'image/png') throw new UnexpectedAnswerError('not-image', response.status);
  const bytes = new Uint8Array(await readBody(response, () => response.arrayBuffer(), signal));
  if (!isWholePng(bytes)) throw new UnexpectedAnswerError('damaged-image', response.status);
  const center = response.headers.get('X-Window-Center');
  const width = response.headers.get('X-Window-Width');
  const source = response.headers.get('X-Window-Source');
  return {
    picture: new Blob([bytes], { type }),
    index: address.index,
    window: center && width && source ? { center: Number(center), width: Number(width), source } : null,
  };
}
