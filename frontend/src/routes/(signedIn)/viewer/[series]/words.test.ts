import { expect, test } from 'vitest';
import type { ViewerCell } from '$lib/state/viewerCell.svelte';
import { texts } from '$lib/texts';
import { howMuch, windowChoices } from './words';

const of = (center: number, width: number, explanation: string | null = null) => ({
  center,
  width,
  function: 'LINEAR',
  explanation,
});

const cellWith = (windows: ReturnType<typeof of>[], modality = 'MR') =>
  ({ state: null, detail: { value: { modality, windows } } }) as unknown as ViewerCell;

test('a window that a file lists twice is offered once', () => {
  const choices = windowChoices(cellWith([of(600, 1600), of(600, 1600), of(300, 800)]));
  expect(choices.map(({ key, name, center }) => [key, name, center])).toEqual([
    ['1', texts.viewer.fileWindow(1), 600],
    ['2', texts.viewer.fileWindow(2), 300],
  ]);
});

test('windows with one number in common are two', () => {
  const choices = windowChoices(cellWith([of(40, 80, 'NARROW'), of(40, 400, 'WIDE')]));
  expect(choices.map(({ name }) => name)).toEqual(['NARROW', 'WIDE']);
});

test('a preset and the same window of the file are told apart', () => {
  const choices = windowChoices(cellWith([of(-600, 1500, 'LUNG')], 'CT'));
  expect(choices.filter(({ center }) => center === -600).map(({ source }) => source)).toEqual([
    'preset',
    'file',
  ]);
});

test.each([
  [{ loaded: 3, failed: 0, count: 9 }, false, 'loading'],
  [{ loaded: 9, failed: 0, count: 9 }, false, 'complete'],
  [{ loaded: 8, failed: 1, count: 9 }, false, null],
  // Only slices near the one shown are kept: this is all that will ever be here at once.
  [{ loaded: 5, failed: 0, count: 9 }, true, 'partly'],
  [{ loaded: 9, failed: 0, count: 9 }, true, 'complete'],
] as const)('of %o, kept in part: %s, one says %s', (progress, isWindowed, said) => {
  expect(howMuch(progress, isWindowed)).toBe(said);
});
