/**
 * Wheel, mouse and fingers over a picture that the server draws. Where pixels are drawn here, the drawing module
 * listens itself; what a click of the hand tool does is the same for both.
 */
import type { ViewerCell } from '$lib/state/viewerCell.svelte';
import type { ViewerPage } from '$lib/state/viewerPage.svelte';
import { panBy, widenBy } from './dragging';

/** CSS pixels of a wheel or of a drag for one slice. */
const NOTCH = 60;
const DRAG = 8;
/** CSS pixels that a hand may move while it clicks. */
const CLICK_RADIUS = 4;

interface Point {
  x: number;
  y: number;
}

interface Target {
  page: ViewerPage;
  cell: ViewerCell;
}

/** Whether the drawing module answers for this cell. */
const isDrawnHere = ({ cell }: Target) => cell.state?.phase === 'open';

export function serverPointer(find: () => Target): (element: HTMLElement) => () => void {
  return (element) => {
    const pointers = new Map<number, Point>();
    let turned = 0;
    let dragged = 0;
    /** Where one finger or the main button went down, as long as it may be a click. */
    let pressed: Point | null = null;

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
      if (event.button !== 0 || (event.target as Element).closest('button, a')) return;
      const at = { x: event.clientX, y: event.clientY };
      pointers.set(event.pointerId, at);
      pressed = pointers.size === 1 ? at : null;
      dragged = 0;
      if (!isDrawnHere(find())) element.setPointerCapture(event.pointerId);
    };

    const move = (event: PointerEvent) => {
      const last = pointers.get(event.pointerId);
      if (!last) return;
      const now = { x: event.clientX, y: event.clientY };
      pointers.set(event.pointerId, now);
      if (pressed && Math.hypot(now.x - pressed.x, now.y - pressed.y) > CLICK_RADIUS) pressed = null;
      const target = find();
      if (isDrawnHere(target)) return;
      const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
      if (other) pinch(target.cell, last, now, other);
      else drag(target, now.x - last.x, now.y - last.y);
    };

    const drag = ({ page, cell }: Target, dx: number, dy: number) => {
      if (page.tool === 'pan') return panBy(cell, dx, dy);
      if (page.tool === 'zoom') return cell.zoomBy(Math.exp(-dy / 150));
      if (page.tool === 'window') return widenBy(cell, dx, dy);
      dragged += dy;
      const slices = Math.trunc(dragged / DRAG);
      dragged -= slices * DRAG;
      if (slices) cell.step(slices);
    };

    const release = (event: PointerEvent) => {
      pointers.delete(event.pointerId);
      const { page, cell } = find();
      if (pressed && event.type === 'pointerup' && page.tool === 'pan') centre(cell, element, pressed);
      pressed = null;
    };

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

/** Two fingers zoom by their distance and move by their middle. */
function pinch(cell: ViewerCell, last: Point, now: Point, other: Point): void {
  const distance = (one: Point) => Math.max(1, Math.hypot(one.x - other.x, one.y - other.y));
  panBy(cell, (now.x - last.x) / 2, (now.y - last.y) / 2);
  cell.zoomBy(distance(now) / distance(last));
}

/** Moves a point of the screen into the middle: what a drag of the hand tool does, for those who cannot drag. */
function centre(cell: ViewerCell, element: HTMLElement, { x, y }: Point): void {
  const { left, top, width, height } = element.getBoundingClientRect();
  panBy(cell, left + width / 2 - x, top + height / 2 - y);
}
