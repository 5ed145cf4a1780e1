/** Reads `multipart/related` (RFC 2387) as it comes in, without keeping more than the part that is under way. */

export interface Part {
  /** Names in lower case. */
  headers: ReadonlyMap<string, string>;
  body: Uint8Array<ArrayBuffer>;
}

export class MultipartError extends Error {
  override readonly name = 'MultipartError';
}

const MAX_HEADER_BYTES = 16_384;
const MAX_PART_BYTES = 2 ** 31 - 1;
const CR = 13;
const LF = 10;

/**
 * Takes bytes in pieces of any size and gives parts as they become whole. Each part must have `Content-Length`: the
 * body is then written once, to where it stays.
 */
export class MultipartParser {
  readonly #delimiter: string;
  /** What was read of the lines before a body. */
  #head: number[] = [];
  #headers: Map<string, string> | null = null;
  #body: Uint8Array<ArrayBuffer> | null = null;
  #filled = 0;
  #isOver = false;

  constructor(boundary: string) {
    this.#delimiter = `--${boundary}`;
  }

  /** Whether the closing boundary came. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Takes the next bytes; returns the parts that they completed. */
  push(bytes: Uint8Array): Part[] {
    const parts: Part[] = [];
    let at = 0;
    while (at < bytes.length && !this.#isOver) {
      at = this.#body ? this.#fill(bytes, at) : this.#readHead(bytes, at);
      const part = this.#takePart();
      if (part) parts.push(part);
    }
    return parts;
  }

  #fill(bytes: Uint8Array, at: number): number {
    const body = this.#body as Uint8Array;
    const piece = bytes.subarray(at, at + body.length - this.#filled);
    body.set(piece, this.#filled);
    this.#filled += piece.length;
    return at + piece.length;
  }

  #takePart(): Part | null {
    if (!this.#body || !this.#headers || this.#filled < this.#body.length) return null;
    const part = { headers: this.#headers, body: this.#body };
    this.#headers = this.#body = null;
    this.#filled = 0;
    return part;
  }

  #readHead(bytes: Uint8Array, at: number): number {
    let next = at;
    while (next < bytes.length) {
      const byte = bytes[next++] as number;
      this.#head.push(byte);
      if (this.#head.length > MAX_HEADER_BYTES) throw new MultipartError('headers without an end');
      if (byte === LF && this.#endsHead()) break;
      if (byte === 45 && this.#isClosing()) {
        this.#isOver = true;
        break;
      }
    }
    return next;
  }

  /** An empty line ends the headers, but not the line end that closes the part before. */
  #endsHead(): boolean {
    const { length } = this.#head;
    const [a, b, c, d] = this.#head.slice(length - 4);
    if (length < 4 || a !== CR || b !== LF || c !== CR || d !== LF) return false;
    const lines = String.fromCharCode(...this.#head).split('\r\n');
    const start = lines.indexOf(this.#delimiter);
    if (start < 0) return false;
    this.#head = [];
    this.#begin(lines.slice(start + 1).filter(Boolean));
    return true;
  }

  #isClosing(): boolean {
    const end = `${this.#delimiter}--`;
    const { length } = this.#head;
    return length >= end.length && String.fromCharCode(...this.#head.slice(-end.length)) === end;
  }

  #begin(lines: string[]): void {
    const headers = new Map<string, string>();
    for (const line of lines) {
      const colon = line.indexOf(':');
      if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
    }
    const length = Number(headers.get('content-length') ?? NaN);
    if (!Number.isInteger(length) || length < 0 || length > MAX_PART_BYTES) {
      throw new MultipartError('a part does not say how long it is');
    }
    this.#headers = headers;
    this.#body = new Uint8Array(length);
    this.#filled = 0;
  }
}
