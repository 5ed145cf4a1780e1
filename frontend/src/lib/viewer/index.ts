/**
 * The viewer, as pages load it: `const { startViewer } = await import('$lib/viewer')`. Cornerstone3D is behind it and
 * nowhere else; what pages may know is in `types.ts`.
 *
 * What comes first is small, so that a stack can be fetched while Cornerstone is still on its way.
 */
import { deviceBudget } from './memory';
import { acquireStack, releaseStack } from './registry';
import type { SeriesChoice, Viewer, ViewerOptions } from './types';

export type * from './planeTypes';
export type * from './types';

/** Starts the viewer. There is one at a time; `destroy` ends it. */
export async function startViewer(options: ViewerOptions = {}): Promise<Viewer> {
  const { CornerstoneViewer } = await import('./cornerstoneViewer');
  return new CornerstoneViewer(options);
}

/**
 * Begins to fetch a stack before there is a cell for it; `ImageCell.show` then finds it under way. Returns how to let
 * go of it, to be called once a cell shows it or nobody wants it any more.
 */
export function fetchAhead(choice: SeriesChoice, index: number | null): () => void {
  // Who shows the stack is told what went wrong.
  const lease = acquireStack(choice, index, { budget: deviceBudget(), isWindowed: false });
  return () => releaseStack(lease);
}
