/** What dragging does to a picture, whoever draws it; keys and clicks do the same in steps. */
import { dragToPan } from '$lib/dicom/placement';
import type { ViewerCell } from '$lib/state/viewerCell.svelte';
import { aspectOf } from '$lib/state/viewerFacts';
import type { PlanesView } from '$lib/state/planesView.svelte';
import type { ViewerPage } from '$lib/state/viewerPage.svelte';
import type { ToolName } from '$lib/viewer/types';

/** Windows widen by this share for each pixel of a drag. */
const WINDOW_SHARE = 0.005;
/** CSS pixels that a key drags by. */
const KEY_STEP = 20;

/** Moves the picture by CSS pixels. */
export function panBy(cell: ViewerCell, dx: number, dy: number): void {
  const scale = cell.facts?.scale;
  if (!scale) return;
  const aspect = aspectOf(cell.pictureStack, cell.detail.value);
  cell.update({ pan: dragToPan(dx, dy, scale, aspect, cell.view) });
}

/** Contrast sideways, brightness up and down. */
export function widenBy(cell: ViewerCell, dx: number, dy: number): void {
  const window = cell.facts?.window;
  if (!window) return;
  const step = Math.max(window.width, 1) * WINDOW_SHARE;
  const width = Math.max(1, Math.round(window.width + dx * step));
  cell.setWindow({ center: Math.round(window.center + dy * step), width });
}

/** An arrow key with Shift does what a short drag with the tool in hand does. False: nothing of this picture. */
export function dragByKey({ active, planes, tool }: ViewerPage, x: number, y: number): boolean {
  const [dx, dy] = [x * KEY_STEP, y * KEY_STEP];
  if (planes) return dragPlane(planes, tool, dx, dy);
  if (tool === 'pan') panBy(active, dx, dy);
  else if (tool === 'zoom') active.zoomBy(Math.exp(-dy / 150));
  else if (tool === 'window') widenBy(active, dx, dy);
  else return false;
  return true;
}

function dragPlane(planes: PlanesView, tool: ToolName, dx: number, dy: number): boolean {
  const { active } = planes;
  const { zoom, pan } = planes.pane(active);
  if (tool === 'window') {
    planes.dragWindow(dx, dy);
    planes.keepWindow();
  } else if (tool === 'zoom') planes.zoomBy(Math.exp(-dy / 150));
  else if (tool === 'pan') {
    // What fits into the pane counts as 500 pixels of the screen: about as much as a drag would move.
    const columns = (planes.plane(active)?.columns ?? 0) / 500 / zoom;
    planes.setPane(active, { pan: [pan[0] - dx * columns, pan[1] - dy * columns] });
  } else return false;
  return true;
}
