/** The decoders of Cornerstone's image loader; its package has no address for them, see vite.config.ts. */
declare module '$codecs/*' {
  type Numbers = Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Int16Array<ArrayBuffer>;
  export default function decode(first: object, second: object): Promise<{ pixelData: Numbers }>;
}
