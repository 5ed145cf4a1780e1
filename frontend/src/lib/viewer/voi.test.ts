import { describe, expect, it } from 'vitest';
import { greyOf } from './voi';

const grey = (name: 'LINEAR' | 'LINEAR_EXACT' | 'SIGMOID', center: number, width: number) =>
  greyOf({ kind: 'window', window: { center, width, function: name } }, false);

describe('greyOf', () => {
  // PS3.3 C.11.2.1.2.1 with c=2048, w=4096: at or below 0 black, above 4095 white.
  it.each([
    [-1, 0],
    [0, 0],
    [2047.5, 128],
    [4095, 255],
    [9999, 255],
  ])('LINEAR takes %d to %d', (value, expected) => {
    expect(grey('LINEAR', 2048, 4096)(value)).toBe(expected);
  });

  it('LINEAR of width 1 is a threshold at c - 0.5', () => {
    const of = grey('LINEAR', 10, 1);
    expect([of(9.5), of(9.6)]).toEqual([0, 255]);
  });

  // C.11.2.1.3.2: black up to c - w/2, white from c + w/2.
  it.each([
    [0, 0],
    [50, 128],
    [100, 255],
  ])('LINEAR_EXACT takes %d to %d', (value, expected) => {
    expect(grey('LINEAR_EXACT', 50, 100)(value)).toBe(expected);
  });

  it('LINEAR below a width of 1, where it is not defined, is LINEAR_EXACT', () => {
    expect(grey('LINEAR', 0.5, 0.5)(0.5)).toBe(128);
  });

  // C.11.2.1.3.1: 1 / (1 + exp(-4 (x - c) / w)); at c half, at c + w/2 1 / (1 + e^-2) = 0.8808.
  it('SIGMOID follows its curve', () => {
    const of = grey('SIGMOID', 100, 40);
    expect([of(100), of(120), of(80)]).toEqual([128, 225, 30]);
  });

  it('what is not a number is black', () => {
    expect(grey('SIGMOID', 100, 40)(NaN)).toBe(0);
  });

  it('turns around', () => {
    const window = { center: 50, width: 100, function: 'LINEAR_EXACT' as const };
    const of = greyOf({ kind: 'window', window }, true);
    expect([of(0), of(100)]).toEqual([255, 0]);
  });

  it('a table of 12 bits ends in white, and holds its ends', () => {
    const table = { first: 10, entries: Uint16Array.of(0, 4095), bits: 12 };
    const of = greyOf({ kind: 'table', table }, false);
    expect([of(-5), of(10), of(10.9), of(11), of(99)]).toEqual([0, 0, 0, 255, 255]);
  });
});
