import { expect, test } from 'vitest';
import { dragToPan, fitScale, placeImage, type Placement } from './placement';

const plain: Placement = {
  zoom: 1,
  pan: [0, 0],
  rotation: 0,
  isFlippedHorizontally: false,
  isFlippedVertically: false,
};
const extent = { columns: 512, rows: 256, aspect: 1 };

test('a picture just fits, also lying on its side', () => {
  expect(fitScale({ width: 1024, height: 1000 }, extent, 0)).toBe(2);
  // On its side it is 256 wide and 512 high: 1000 / 512 < 1024 / 256.
  expect(fitScale({ width: 1024, height: 1000 }, extent, 90)).toBe(1000 / 512);
  // Rows twice as high as columns are wide make the picture square.
  expect(fitScale({ width: 1024, height: 2000 }, { ...extent, aspect: 2 }, 0)).toBe(2);
  expect(fitScale({ width: 100, height: 100 }, { columns: 0, rows: 0, aspect: 1 }, 0)).toBe(0);
});

test('it stands in the middle of its cell', () => {
  expect(placeImage({ width: 1024, height: 1000 }, extent, plain)).toBe(
    'translate(512px, 500px) rotate(0deg) scale(2, 2) translate(-256px, -128px)',
  );
});

test('it is mirrored before it is turned, and zoomed around the point that lies in the middle', () => {
  const placement = { ...plain, zoom: 2, pan: [10, -4] as const, rotation: 90, isFlippedHorizontally: true };
  expect(placeImage({ width: 512, height: 512 }, extent, placement)).toBe(
    'translate(256px, 256px) rotate(90deg) scale(-2, 2) translate(-266px, -124px)',
  );
});

test('a drag moves the picture with the hand, however it is turned', () => {
  // To the right by 20 pixels at 2 per column: the middle of the cell sees 10 columns further left.
  expect(dragToPan(20, 0, 2, 1, plain)).toEqual([-10, 0]);
  expect(dragToPan(20, 0, 2, 1, { ...plain, isFlippedHorizontally: true })[0]).toBe(10);
  const turned = dragToPan(20, 0, 2, 1, { ...plain, rotation: 90 });
  expect(turned[0]).toBeCloseTo(0);
  expect(turned[1]).toBeCloseTo(10);
});
