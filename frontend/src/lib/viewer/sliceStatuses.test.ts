import { expect, test } from 'vitest';
import { SliceStatuses } from './sliceStatuses';

test('counts go with each change', () => {
  const statuses = new SliceStatuses(['absent', 'absent', 'failed']);
  statuses.turn(0, 3, 'absent', 'loading');
  statuses.set(0, 'ready');
  statuses.set(0, 'ready');
  expect(statuses.all).toEqual(['ready', 'loading', 'failed']);
  expect((['absent', 'loading', 'ready', 'failed'] as const).map((one) => statuses.count(one))).toEqual([
    0, 1, 1, 1,
  ]);
});

test('the array is another one only after a change', () => {
  const statuses = new SliceStatuses(['absent', 'absent']);
  const before = statuses.all;
  statuses.set(1, 'absent');
  expect(statuses.all).toBe(before);
  statuses.set(1, 'loading');
  expect(statuses.all).not.toBe(before);
  expect(before).toEqual(['absent', 'absent']);
});

test('a range has a state or not, whatever lies outside', () => {
  const statuses = new SliceStatuses(['absent', 'ready', 'ready', 'absent']);
  expect([statuses.has('absent', 1, 3), statuses.has('absent', 1, 4)]).toEqual([false, true]);
});

test('beyond the ends nothing is set', () => {
  const statuses = new SliceStatuses(['absent']);
  statuses.set(1, 'ready');
  expect([statuses.all.length, statuses.count('ready')]).toEqual([1, 0]);
});
