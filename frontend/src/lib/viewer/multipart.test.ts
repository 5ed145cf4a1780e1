import { describe, expect, it } from 'vitest';
import { MultipartError, MultipartParser, type Part } from './multipart';

const encode = (text: string) => new TextEncoder().encode(text);
const text = (part: Part | undefined) => new TextDecoder().decode(part?.body);

/** RFC 2046, 5.1.1: the line end before a boundary belongs to the boundary. */
const MESSAGE = encode(
  '--edge\r\nContent-Type: application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1\r\nContent-Length: 9\r\n\r\n' +
    'a\r\n--edge' +
    '\r\n--edge\r\nCONTENT-LENGTH: 0\r\n\r\n' +
    '\r\n--edge\r\nContent-Length:4\r\n\r\n\r\n\r\n' +
    '\r\n--edge--\r\n',
);

function parse(message: Uint8Array, size: number): { parts: Part[]; isOver: boolean } {
  const parser = new MultipartParser('edge');
  const parts: Part[] = [];
  for (let at = 0; at < message.length; at += size)
    parts.push(...parser.push(message.subarray(at, at + size)));
  return { parts, isOver: parser.isOver };
}

describe('MultipartParser', () => {
  it.each([1, 2, 3, 7, 64, 10_000])('gives the same parts from pieces of %i bytes', (size) => {
    const { parts, isOver } = parse(MESSAGE, size);
    expect(parts.map((part) => text(part))).toEqual(['a\r\n--edge', '', '\r\n\r\n']);
    expect(parts[0]?.headers.get('content-type')).toContain('transfer-syntax=1.2.840.10008.1.2.1');
    expect(isOver).toBe(true);
  });

  it('knows that a message broke off', () => {
    const { parts, isOver } = parse(MESSAGE.subarray(0, MESSAGE.length - 14), 5);
    expect(parts).toHaveLength(2);
    expect(isOver).toBe(false);
  });

  it('gives a part as soon as its last byte is there', () => {
    const parser = new MultipartParser('edge');
    expect(parser.push(encode('--edge\r\nContent-Length: 2\r\n\r\nab')).map(text)).toEqual(['ab']);
  });

  it.each(['', 'Content-Length: x\r\n', 'Content-Length: -1\r\n', 'Content-Length: 99999999999\r\n'])(
    'refuses a part with the headers %j',
    (headers) => {
      expect(() => parse(encode(`--edge\r\n${headers}\r\nabc`), 100)).toThrow(MultipartError);
    },
  );

  it('refuses headers without an end', () => {
    expect(() => parse(new Uint8Array(20_000).fill(65), 1000)).toThrow(MultipartError);
  });
});
