import { describe, expect, it } from 'vitest';
import type { ImagePoint, SliceValues } from '$lib/viewer/types';
import { areaOf, statisticsOf } from './regions';

/**
 * Expected numbers come from NumPy 2 over the same 40 × 50 values:
 * `r, c = np.mgrid[0:40, 0:50]; v = ((r*7 + c*13) % 101 - 50).astype(float)`, `v[mask].mean()`, `.std()` (ddof 0).
 */
const [rows, columns] = [40, 50];
const values = Float64Array.from({ length: rows * columns }, (_, i) => {
  const [row, column] = [Math.floor(i / columns), i % columns];
  return ((row * 7 + column * 13) % 101) - 50;
});
const slice: SliceValues = { sopInstanceUid: '1.2', frameNumber: 1, rows, columns, values, padding: null };

const rectangle = (left: number, top: number, right: number, bottom: number): ImagePoint[] => [
  [left, top],
  [right, top],
  [right, bottom],
  [left, bottom],
];

describe('statistics of a rectangle', () => {
  it('are those of NumPy', () => {
    // mask: (c >= 10.5) & (c <= 30.4) & (r >= 5.2) & (r <= 25.7)
    const found = statisticsOf('rectangle', rectangle(10.5, 5.2, 30.4, 25.7), slice);
    expect(found).toMatchObject({ count: 400, minimum: -50, maximum: 50 });
    expect(found?.mean).toBeCloseTo(-0.725, 12);
    expect(found?.standardDeviation).toBeCloseTo(29.24704044856505, 12);
  });

  it('count pixels whose centre lies on the border', () => {
    // mask: (c >= 3) & (c <= 6) & (r >= 2) & (r <= 4)
    const found = statisticsOf('rectangle', rectangle(3, 2, 6, 4), slice);
    expect(found).toMatchObject({ count: 12, minimum: -45, maximum: 49 });
    expect(found?.mean).toBeCloseTo(21.083333333333332, 12);
    expect(found?.standardDeviation).toBeCloseTo(24.022414301832544, 12);
  });

  it('do not depend on where it was begun', () => {
    const around = rectangle(10.5, 5.2, 30.4, 25.7);
    const first = statisticsOf('rectangle', around, slice);
    expect(statisticsOf('rectangle', [...around].reverse(), slice)).toEqual(first);
  });

  it('leave padding out', () => {
    // the first mask without values from -50 to -40
    const padded = { ...slice, padding: { low: -50, high: -40 } };
    const found = statisticsOf('rectangle', rectangle(10.5, 5.2, 30.4, 25.7), padded);
    expect(found).toMatchObject({ count: 356, minimum: -39, maximum: 50 });
    expect(found?.mean).toBeCloseTo(4.741573033707865, 12);
    expect(found?.standardDeviation).toBeCloseTo(26.234156519928018, 12);
  });

  it('end where the picture ends', () => {
    // mask: (c >= 44.2) & (r <= 3.9)
    const found = statisticsOf('rectangle', rectangle(44.2, -10, 80, 3.9), slice);
    expect(found?.count).toBe(20);
    expect(found?.mean).toBeCloseTo(-9.25, 12);
    expect(found?.standardDeviation).toBeCloseTo(31.84474053905919, 12);
  });

  it('are none without a pixel', () => {
    expect(statisticsOf('rectangle', rectangle(3.2, 3.2, 3.8, 3.8), slice)).toBeNull();
    expect(statisticsOf('rectangle', rectangle(100, 100, 120, 120), slice)).toBeNull();
    const padded = { ...slice, padding: { low: -50, high: 50 } };
    expect(statisticsOf('rectangle', rectangle(3, 2, 6, 4), padded)).toBeNull();
  });
});

describe('statistics of an ellipse', () => {
  it('are those of NumPy', () => {
    // mask: ((c - 24.5) / 12.5)**2 + ((r - 19.25) / 8.75)**2 <= 1
    const points: ImagePoint[] = [
      [12, 19.25],
      [37, 19.25],
      [24.5, 10.5],
      [24.5, 28],
    ];
    const found = statisticsOf('ellipse', points, slice);
    expect(found).toMatchObject({ count: 338, minimum: -50, maximum: 50 });
    expect(found?.mean).toBeCloseTo(0.8431952662721893, 12);
    expect(found?.standardDeviation).toBeCloseTo(29.505224156277258, 12);
    expect(areaOf('ellipse', points)).toBeCloseTo(Math.PI * 12.5 * 8.75, 9);
  });

  it('are those of NumPy when it is turned', () => {
    // axes (8, 6) and (-3, 4) about (25, 20): s, t = coordinates along them; mask: s**2 + t**2 <= 1
    const points: ImagePoint[] = [
      [17, 14],
      [33, 26],
      [28, 16],
      [22, 24],
    ];
    const found = statisticsOf('ellipse', points, slice);
    expect(found?.count).toBe(161);
    expect(found?.mean).toBeCloseTo(0.9627329192546584, 12);
    expect(found?.standardDeviation).toBeCloseTo(28.457637296189272, 12);
    expect(areaOf('ellipse', points)).toBeCloseTo(Math.PI * 10 * 5, 9);
  });

  it('are none without an extent', () => {
    const flat: ImagePoint[] = [
      [3, 3],
      [9, 3],
      [6, 3],
      [6, 3],
    ];
    expect(statisticsOf('ellipse', flat, slice)).toBeNull();
  });
});

it('takes the area of the drawn rectangle, not of the pixels counted', () => {
  expect(areaOf('rectangle', rectangle(10.5, 5.2, 30.4, 25.7))).toBeCloseTo(19.9 * 20.5, 9);
});
