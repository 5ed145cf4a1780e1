import { mediaType, readBody, request } from './client';
import { UnexpectedAnswerError } from './problem';
import type { Slice } from './types';

export interface SliceAddress {
  series: string | null;
  /** Omitted: the middle one, in the order that the server chose. */
  stack?: number | null;
  index?: number | null;
  center?: number | null;
  width?: number | null;
  /** Whether to draw the overlays of the file. */
  overlays?: boolean;
}

const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** The chunk that ends each PNG (ISO/IEC 15948, 11.2.5): no length, its name, its checksum. */
const PNG_END = [0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82];

export async function readSlice(address: SliceAddress, signal?: AbortSignal): Promise<Slice> {
  const response = await request('/slice', { query: { ...address }, signal });
  const type = mediaType(response);
  if (type === 'text/html') throw new UnexpectedAnswerError('web-page', response.status);
  if (type !== 'image/png') throw new UnexpectedAnswerError('not-image', response.status);
  const bytes = new Uint8Array(await readBody(response, () => response.arrayBuffer(), signal));
  if (!isWholePng(bytes)) throw new UnexpectedAnswerError('damaged-image', response.status);
  return {
    picture: new Blob([bytes], { type }),
    index: readNumber(response, 'X-Slice-Index') ?? address.index ?? 0,
    count: readNumber(response, 'X-Slice-Count') ?? 0,
    seriesInstanceUid: response.headers.get('X-Series-Instance-UID'),
    sopInstanceUid: response.headers.get('X-SOP-Instance-UID'),
    frameNumber: readNumber(response, 'X-Frame-Number'),
    stack: readNumber(response, 'X-Slice-Stack'),
    positionMm: readNumber(response, 'X-Slice-Position'),
    overlays: readNumber(response, 'X-Overlays') ?? 0,
    window: readWindow(response),
  };
}

/** Browsers paint the upper part of a PNG that was cut off; half a slice must never pass for a whole one. */
export function isWholePng(bytes: Uint8Array): boolean {
  const end = bytes.length - PNG_END.length;
  return (
    end >= PNG_SIGNATURE.length &&
    PNG_SIGNATURE.every((byte, i) => bytes[i] === byte) &&
    PNG_END.every((byte, i) => bytes[end + i] === byte)
  );
}

function readWindow(response: Response): Slice['window'] {
  const center = readNumber(response, 'X-Window-Center');
  const width = readNumber(response, 'X-Window-Width');
  const source = response.headers.get('X-Window-Source');
  return center === null || width === null || source === null ? null : { center, width, source };
}

function readNumber(response: Response, header: string): number | null {
  const text = response.headers.get(header);
  const value = Number(text);
  return text !== null && Number.isFinite(value) ? value : null;
}
