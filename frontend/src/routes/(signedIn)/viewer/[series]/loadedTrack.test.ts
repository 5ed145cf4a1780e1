import { expect, test } from 'vitest';
import { loadedTrack } from './loadedTrack';

test('nothing is drawn while nothing is known', () => {
  expect(loadedTrack([])).toBe('none');
});

test('slices that follow each other are one stripe', () => {
  expect(loadedTrack(['ready', 'ready', 'absent', 'failed'])).toBe(
    'linear-gradient(to bottom, oklch(0.62 0.06 215) 0% 50%, transparent 50% 75%, oklch(0.72 0.16 25) 75% 100%)',
  );
});

test('of 3,000 slices a single failed one is still seen', () => {
  const statuses = Array.from({ length: 3000 }, (_, n) =>
    n === 1777 ? ('failed' as const) : ('ready' as const),
  );
  const track = loadedTrack(statuses);
  expect(track.match(/oklch\(0.72/g)).toHaveLength(1);
  expect(track.length).toBeLessThan(400);
});
