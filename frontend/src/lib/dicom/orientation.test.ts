import { expect, test } from 'vitest';
import { planeOf, turnLabels } from './orientation';

// An axial picture as it is stored most often: the patient's right at the left edge (PS3.3 C.7.6.2.1.1).
const axial = { left: 'R', right: 'L', top: 'A', bottom: 'P' };

test('labels stay where nothing is turned', () => {
  expect(turnLabels(axial, 0, false, false)).toEqual(axial);
});

test('a quarter clockwise brings the left edge to the top', () => {
  expect(turnLabels(axial, 90, false, false)).toEqual({ left: 'P', right: 'A', top: 'R', bottom: 'L' });
});

test('half a turn and three quarters', () => {
  expect(turnLabels(axial, 180, false, false)).toEqual({ left: 'L', right: 'R', top: 'P', bottom: 'A' });
  expect(turnLabels(axial, 270, false, false)).toEqual({ left: 'A', right: 'P', top: 'L', bottom: 'R' });
  expect(turnLabels(axial, -90, false, false)).toEqual(turnLabels(axial, 270, false, false));
});

test('flips exchange the edges that they exchange', () => {
  expect(turnLabels(axial, 0, true, false)).toEqual({ ...axial, left: 'L', right: 'R' });
  expect(turnLabels(axial, 0, false, true)).toEqual({ ...axial, top: 'P', bottom: 'A' });
});

test('a flip comes before the turn', () => {
  // Mirrored: L at the left; a quarter clockwise: the left edge is at the top.
  expect(turnLabels(axial, 90, true, false)).toEqual({ left: 'P', right: 'A', top: 'L', bottom: 'R' });
});

test('planes are named by their edges', () => {
  expect(planeOf(axial)).toBe('axial');
  expect(planeOf({ left: 'R', right: 'L', top: 'H', bottom: 'F' })).toBe('coronal');
  expect(planeOf({ left: 'AR', right: 'PL', top: 'H', bottom: 'F' })).toBe('sagittal');
  expect(planeOf(null)).toBeNull();
});
