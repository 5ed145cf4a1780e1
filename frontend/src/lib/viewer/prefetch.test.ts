import { describe, expect, it } from 'vitest';
import { chunkOf, chunksAround, chunkSize, windowAround } from './prefetch';

describe('chunkSize', () => {
  it.each([
    [524_288, 8],
    [8192, 32],
    [2 ** 27, 1],
    [0, 32],
    [3_000_000, 1],
  ])('of frames of %d bytes is %d', (bytes, size) => {
    expect(chunkSize(bytes)).toBe(size);
  });
});

describe('chunksAround', () => {
  it('begins with that of the wanted slice and goes outwards, each once', () => {
    const order = chunksAround(17, 8, 44).map(({ first }) => first);
    expect(order).toEqual([16, 8, 24, 0, 32, 40]);
  });

  it('has a shorter last chunk', () => {
    expect(chunkOf(20, 8, 21)).toEqual({ first: 16, count: 5 });
  });

  it('is empty without slices', () => {
    expect(chunksAround(0, 8, 0)).toEqual([]);
  });
});

describe('windowAround', () => {
  it.each([
    [50, 100, 11, { first: 45, end: 56 }],
    [0, 100, 11, { first: 0, end: 11 }],
    [99, 100, 11, { first: 89, end: 100 }],
    [1, 3, 11, { first: 0, end: 3 }],
  ])('around %d of %d keeps %d', (index, count, kept, expected) => {
    expect(windowAround(index, count, kept)).toEqual(expected);
  });
});
