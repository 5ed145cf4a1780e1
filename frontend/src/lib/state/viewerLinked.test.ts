import { expect, test } from 'vitest';
import { nearestSlice, whyNotLinked, type Line } from './viewerLinked';

const axial = [1, 0, 0, 0, 1, 0];
const line = (positionsMm: (number | null)[], more: Partial<Line> = {}): Line => ({
  frameOfReferenceUid: '1.2',
  orientation: axial,
  positionsMm,
  ...more,
});

test('slices follow by position, whatever their spacing', () => {
  const thin = line([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  const thick = line([-5, 0, 5, 10]);
  expect(nearestSlice(thin, 4, thick)).toBe(2);
  expect(nearestSlice(thick, 2, thin)).toBe(5);
  expect(nearestSlice(thick, 0, thin)).toBe(0);
});

test('a stack that runs the other way is followed backwards', () => {
  // Columns the other way round: the normal points to the feet, so positions along it change their sign.
  const down = line([-10, -5, 0], { orientation: [1, 0, 0, 0, -1, 0] });
  expect(nearestSlice(line([0, 5, 10]), 1, down)).toBe(1);
  expect(nearestSlice(line([0, 5, 10]), 2, down)).toBe(0);
});

test('what cannot be compared is refused, with its reason', () => {
  const one = line([0, 1]);
  expect(whyNotLinked(one, line([null, null]))).toBe('no-positions');
  expect(whyNotLinked(one, line([0], { frameOfReferenceUid: '1.3' }))).toBe('other-frame');
  expect(whyNotLinked(one, line([0], { frameOfReferenceUid: null }))).toBe('other-frame');
  expect(whyNotLinked(one, line([0], { orientation: [0, 1, 0, 0, 0, -1] }))).toBe('other-direction');
  expect(nearestSlice(one, 0, line([0], { frameOfReferenceUid: '1.3' }))).toBeNull();
  expect(whyNotLinked(one, one)).toBeNull();
});
