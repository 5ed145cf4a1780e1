import { describe, expect, it } from 'vitest';
import { fitScale, orientationLabels, placeMatrix, toCell, toImage, turnLabels } from './placement';

const view = {
  zoom: 1,
  pan: [0, 0] as const,
  rotation: 0,
  isFlippedHorizontally: false,
  isFlippedVertically: false,
};
const picture = { columns: 100, rows: 50, aspect: 2 };
const cell = { width: 300, height: 200 };

describe('fitScale', () => {
  it('fits the narrower side, with the shape of pixels', () => {
    expect(fitScale(picture, cell, 0)).toBe(2);
    expect(fitScale({ ...picture, aspect: 1 }, cell, 90)).toBeCloseTo(2);
  });
});

describe('placeMatrix', () => {
  it('puts the middle of the picture in the middle of the cell', () => {
    const matrix = placeMatrix({ ...view, rotation: 33, isFlippedVertically: true }, picture, cell, 1);
    const [column, row] = toImage(matrix, 150, 100);
    expect(column).toBeCloseTo(49.5);
    expect(row).toBeCloseTo(24.5);
  });

  it('turns clockwise: the top left corner comes to the top right', () => {
    const matrix = placeMatrix({ ...view, rotation: 90 }, { columns: 100, rows: 100, aspect: 1 }, cell, 1);
    expect(toCell(matrix, [-0.5, -0.5])).toEqual([250, 0]);
  });

  it('flips before it turns', () => {
    const square = { columns: 100, rows: 100, aspect: 1 };
    const matrix = placeMatrix({ ...view, rotation: 90, isFlippedHorizontally: true }, square, cell, 1);
    expect(toCell(matrix, [-0.5, -0.5])).toEqual([250, 200]);
  });

  it('puts pixels on pixels where one is one', () => {
    const odd = { columns: 99, rows: 101, aspect: 1 };
    const zoom = 1 / fitScale(odd, cell, 0);
    const matrix = placeMatrix({ ...view, zoom }, odd, cell, 1);
    expect(matrix.slice(4).every(Number.isInteger)).toBe(true);
  });

  it('goes there and back', () => {
    const turned = { ...view, zoom: 3, pan: [4, -7] as const, rotation: 77, isFlippedHorizontally: true };
    const matrix = placeMatrix(turned, picture, cell, 2);
    const [x, y] = toCell(matrix, [12, 34]);
    const [column, row] = toImage(matrix, x, y);
    expect([column, row].map((value) => Math.round(value * 1e6) / 1e6)).toEqual([12, 34]);
  });
});

describe('orientation letters', () => {
  // PS3.3 C.7.6.1.1.1: x grows to the left of the patient, y to the back, z to the head.
  it('of an axial plane', () => {
    const labels = orientationLabels([1, 0, 0, 0, 1, 0]);
    expect(labels).toEqual({ left: 'R', right: 'L', top: 'A', bottom: 'P' });
  });

  it('of an oblique plane has the largest part first', () => {
    expect(orientationLabels([0.8, 0.6, 0, 0, 0, -1])?.right).toBe('LP');
  });

  it('turn and flip with the picture', () => {
    const labels = { left: 'R', right: 'L', top: 'A', bottom: 'P' };
    expect(turnLabels(labels, { ...view, rotation: 90 })).toEqual({
      left: 'P',
      right: 'A',
      top: 'R',
      bottom: 'L',
    });
    expect(turnLabels(labels, { ...view, isFlippedHorizontally: true })).toMatchObject({
      left: 'L',
      right: 'R',
    });
  });
});
