/** What the letters at the edges are once a picture is turned and mirrored. */
import type { OrientationLabels } from '$lib/api/types';

/**
 * The labels of a picture that is mirrored first and then turned clockwise, as it is drawn.
 *
 * Oblique directions have several letters (PS3.3 C.7.6.1.1.1); they move as a whole.
 */
export function turnLabels(
  labels: OrientationLabels,
  rotation: number,
  isFlippedHorizontally: boolean,
  isFlippedVertically: boolean,
): OrientationLabels {
  let { left, right, top, bottom } = labels;
  if (isFlippedHorizontally) [left, right] = [right, left];
  if (isFlippedVertically) [top, bottom] = [bottom, top];
  const quarters = (((Math.round(rotation / 90) % 4) + 4) % 4) as 0 | 1 | 2 | 3;
  for (let turn = 0; turn < quarters; turn++) [top, right, bottom, left] = [left, top, right, bottom];
  return { left, right, top, bottom };
}

/** `axial`, `coronal` or `sagittal` for a picture whose edges are those planes' within half a turn of 45°, else null. */
export function planeOf(labels: OrientationLabels | null): 'axial' | 'coronal' | 'sagittal' | null {
  if (!labels) return null;
  const axes = new Set([labels.left.charAt(0), labels.top.charAt(0)].map((letter) => AXES[letter]));
  if (axes.has('x') && axes.has('y')) return 'axial';
  if (axes.has('x') && axes.has('z')) return 'coronal';
  if (axes.has('y') && axes.has('z')) return 'sagittal';
  return null;
}

const AXES: Record<string, string> = { L: 'x', R: 'x', A: 'y', P: 'y', H: 'z', F: 'z', S: 'z', I: 'z' };
