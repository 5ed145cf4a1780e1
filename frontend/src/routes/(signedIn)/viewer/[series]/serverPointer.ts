/** Wheel and drag over a picture that the server draws. Where pixels are drawn here, the drawing module listens itself. */
import { dragToPan } from '$lib/dicom/placement';
import type { ViewerCell } from '$lib/state/viewerCell.svelte';
import { aspectOf } from '$lib/state/viewerFacts';
import type { ViewerPage } from '$lib/state/viewerPage.svelte';

/** CSS pixels of a wheel or of a drag for one slice. */
const NOTCH = 60;
const DRAG = 8;
/** Windows widen by this share for each pixel of a drag. */
const WINDOW_SHARE = 0.005;

interface Target {
  page: ViewerPage;
  cell: ViewerCell;
}

/** Whether the drawing module answers for this cell. */
const isDrawnHere = ({ cell }: Target) => cell.state?.phase === 'open';

export function serverPointer(find: () => Target): (element: HTMLElement) => () => void {
  return (element) => {
    let turned = 0;
    let last: { x: number; y: number } | null = null;
    let dragged = 0;
    const wheel = (event: WheelEvent) => {
      const target = find();
      if (!target.cell.series || (event.target as Element).closest('.message')) return;
      event.preventDefault();
      if (isDrawnHere(target)) return;
      if (event.ctrlKey) return target.cell.zoomBy(event.deltaY < 0 ? 1.1 : 1 / 1.1);
      turned +=
        event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : Math.sign(event.deltaY) * NOTCH;
      const slices = Math.trunc(turned / NOTCH);
      turned -= slices * NOTCH;
      if (slices) target.cell.step(slices);
    };
    const press = (event: PointerEvent) => {
      if (event.button !== 0 || isDrawnHere(find()) || (event.target as Element).closest('button, a')) return;
      last = { x: event.clientX, y: event.clientY };
      dragged = 0;
      element.setPointerCapture(event.pointerId);
    };
    const move = (event: PointerEvent) => {
      if (!last) return;
      const [dx, dy] = [event.clientX - last.x, event.clientY - last.y];
      last = { x: event.clientX, y: event.clientY };
      const { page, cell } = find();
      if (page.tool === 'pan') pan(cell, dx, dy);
      else if (page.tool === 'zoom') cell.zoomBy(Math.exp(-dy / 150));
      else if (page.tool === 'window') widen(cell, dx, dy);
      else {
        dragged += dy;
        const slices = Math.trunc(dragged / DRAG);
        dragged -= slices * DRAG;
        if (slices) cell.step(slices);
      }
    };
    const release = () => (last = null);
    element.addEventListener('wheel', wheel, { passive: false });
    element.addEventListener('pointerdown', press);
    element.addEventListener('pointermove', move);
    element.addEventListener('pointerup', release);
    element.addEventListener('pointercancel', release);
    return () => {
      element.removeEventListener('wheel', wheel);
      element.removeEventListener('pointerdown', press);
      element.removeEventListener('pointermove', move);
      element.removeEventListener('pointerup', release);
      element.removeEventListener('pointercancel', release);
    };
  };
}

function pan(cell: ViewerCell, dx: number, dy: number): void {
  const scale = cell.facts?.scale;
  if (!scale) return;
  const aspect = aspectOf(cell.pictureStack, cell.detail.value);
  cell.update({ pan: dragToPan(dx, dy, scale, aspect, cell.view) });
}

/** Contrast sideways, brightness up and down. */
function widen(cell: ViewerCell, dx: number, dy: number): void {
  const window = cell.facts?.window;
  if (!window) return;
  const step = Math.max(window.width, 1) * WINDOW_SHARE;
  const width = Math.max(1, Math.round(window.width + dx * step));
  cell.setWindow({ center: Math.round(window.center + dy * step), width });
}
