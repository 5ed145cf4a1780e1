/** From the bytes of a part to stored values: plain ones are viewed where they lie, others go to a worker. */
import decodeWorkerUrl from './decodeWorker?worker&url';
import type { Part } from './multipart';
import { UnsupportedPixels, viewStoredValues, type PixelArray, type PixelLayout } from './pixels';

export interface DecodeTask {
  id: number;
  transferSyntax: string;
  bytes: Uint8Array<ArrayBuffer>;
  /** As Cornerstone's decoders have it. */
  frame: {
    rows: number;
    columns: number;
    samplesPerPixel: number;
    bitsAllocated: number;
    bitsStored: number;
    pixelRepresentation: number;
    planarConfiguration: number;
    photometricInterpretation: string;
  };
}

export interface DecodeAnswer {
  id: number;
  values: Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Int16Array<ArrayBuffer> | null;
  error: string | null;
}

const EXPLICIT_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';
const PLAIN = new Set(['1.2.840.10008.1.2', EXPLICIT_LITTLE_ENDIAN]);

/** The parameters of a part's Content-Type, names in lower case. */
export function contentParameters(part: Part): Map<string, string> {
  const [, ...parameters] = (part.headers.get('content-type') ?? '').split(';');
  return new Map(
    parameters.map((parameter) => {
      const [name = '', value = ''] = parameter.split('=', 2);
      return [name.trim().toLowerCase(), value.trim().replaceAll('"', '')];
    }),
  );
}

/** The stored values of a frame, and the layout that they have then. */
export async function decodeFrame(
  bytes: Uint8Array<ArrayBuffer>,
  transferSyntax: string,
  layout: PixelLayout,
): Promise<{ stored: PixelArray; layout: PixelLayout }> {
  if (PLAIN.has(transferSyntax)) return { stored: viewStoredValues(bytes, layout), layout };
  const values = await Decoders.shared.decode(bytes, transferSyntax, layout);
  const { rows, columns, samplesPerPixel } = layout;
  if (values.length !== rows * columns * samplesPerPixel) throw new UnsupportedPixels('another size');
  // Decoders of JPEG and JPEG 2000 give RGB (PS3.5 8.2.1, 8.2.4).
  const photometricInterpretation = samplesPerPixel === 3 ? 'RGB' : layout.photometricInterpretation;
  return { stored: toDeclared(values, layout), layout: { ...layout, photometricInterpretation } };
}

/** Some decoders ignore the sign, or the unused bits. */
function toDeclared(
  values: NonNullable<DecodeAnswer['values']>,
  { bitsAllocated, bitsStored, isSigned }: PixelLayout,
): PixelArray {
  if (bitsAllocated <= 8 || values instanceof Uint8Array) {
    return isSigned ? new Int8Array(values.buffer) : values;
  }
  const words = isSigned ? new Int16Array(values.buffer) : new Uint16Array(values.buffer);
  const unused = 32 - bitsStored;
  if (isSigned && bitsStored < 16) {
    for (let i = 0; i < words.length; i++) words[i] = ((words[i] as number) << unused) >> unused;
  }
  return words;
}

/** A few workers, started when the first compressed frame comes. */
class Decoders {
  static readonly shared = new Decoders();
  readonly #workers: Worker[] = [];
  readonly #waiting = new Map<
    number,
    { resolve: (answer: DecodeAnswer) => void; reject: (e: Error) => void }
  >();
  #next = 0;

  async decode(bytes: Uint8Array<ArrayBuffer>, transferSyntax: string, layout: PixelLayout) {
    const id = this.#next++;
    const { rows, columns, samplesPerPixel, bitsAllocated, bitsStored, photometricInterpretation } = layout;
    const frame = {
      rows,
      columns,
      samplesPerPixel,
      bitsAllocated,
      bitsStored,
      photometricInterpretation,
      pixelRepresentation: layout.isSigned ? 1 : 0,
      planarConfiguration: 0,
    };
    const task: DecodeTask = { id, transferSyntax, bytes, frame };
    const answer = await new Promise<DecodeAnswer>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker(id).postMessage(task, [bytes.buffer]);
    });
    if (!answer.values) throw new UnsupportedPixels(answer.error ?? 'not decoded');
    return answer.values;
  }

  #worker(id: number): Worker {
    const wanted = Math.max(1, Math.min(4, Math.floor((navigator.hardwareConcurrency ?? 2) / 2)));
    while (this.#workers.length < wanted) this.#workers.push(this.#start());
    return this.#workers[id % wanted] as Worker;
  }

  #start(): Worker {
    const worker = new Worker(trusted(decodeWorkerUrl), { type: 'module' });
    worker.addEventListener('message', ({ data }: MessageEvent<DecodeAnswer>) => {
      this.#waiting.get(data.id)?.resolve(data);
      this.#waiting.delete(data.id);
    });
    worker.addEventListener('error', () => {
      for (const { reject } of this.#waiting.values()) reject(new UnsupportedPixels('the decoder stopped'));
      this.#waiting.clear();
    });
    return worker;
  }
}

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): {
    createScriptURL(url: string): string;
  };
}

let policy: ReturnType<TrustedTypes['createPolicy']> | undefined;

/** The pages' policy lets a worker start only through this, and this only lets our own worker through. */
function trusted(url: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  if (!trustedTypes) return url;
  policy ??= trustedTypes.createPolicy('viewer-worker', {
    createScriptURL(given) {
      if (given !== decodeWorkerUrl) throw new TypeError('Only the decoder runs as a worker.');
      return given;
    },
  });
  return policy.createScriptURL(url);
}
