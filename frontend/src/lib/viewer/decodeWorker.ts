/** Decodes compressed frames beside the page, with the codecs of Cornerstone's image loader. */
import decodeHTJ2K from '$codecs/decodeHTJ2K.js';
import decodeJPEG2000 from '$codecs/decodeJPEG2000.js';
import decodeJPEGBaseline from '$codecs/decodeJPEGBaseline8Bit.js';
import decodeJPEGLossless from '$codecs/decodeJPEGLossless.js';
import decodeJPEGLS from '$codecs/decodeJPEGLS.js';
import decodeRLE from '$codecs/decodeRLE.js';
import type { DecodeAnswer, DecodeTask } from './decoding';

type Numbers = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Int16Array<ArrayBuffer>;

const JPEG = '1.2.840.10008.1.2.4.';

/** As the image loader calls them: some decoders take the frame first, others the bytes. */
async function decode({ transferSyntax, bytes, frame }: DecodeTask): Promise<Numbers> {
  const signed = frame.pixelRepresentation === 1;
  const info = { ...frame, signed, bytesPerPixel: frame.bitsAllocated <= 8 ? 1 : 2 };
  switch (transferSyntax) {
    case '1.2.840.10008.1.2.5':
      return (await decodeRLE({ ...frame }, bytes)).pixelData;
    case `${JPEG}50`:
      return (await decodeJPEGBaseline(bytes, info)).pixelData;
    case `${JPEG}57`:
    case `${JPEG}70`:
      return (await decodeJPEGLossless({ ...frame }, bytes)).pixelData;
    case `${JPEG}80`:
    case `${JPEG}81`:
      return (await decodeJPEGLS(bytes, info)).pixelData;
    case `${JPEG}90`:
    case `${JPEG}91`:
      return (await decodeJPEG2000(bytes, info)).pixelData;
    case `${JPEG}201`:
    case `${JPEG}202`:
    case `${JPEG}203`:
      return (await decodeHTJ2K(bytes, info)).pixelData;
    default:
      throw new Error(`no decoder for ${transferSyntax}`);
  }
}

async function answer(task: DecodeTask): Promise<void> {
  let reply: DecodeAnswer;
  try {
    // The decoders show their own memory, which the next frame overwrites.
    reply = { id: task.id, values: (await decode(task)).slice(), error: null };
  } catch (error) {
    reply = { id: task.id, values: null, error: String(error) };
  }
  postMessage(reply, { transfer: reply.values ? [reply.values.buffer] : [] });
}

let queue = Promise.resolve();
addEventListener('message', ({ data }: MessageEvent<DecodeTask>) => {
  queue = queue.then(() => answer(data));
});
