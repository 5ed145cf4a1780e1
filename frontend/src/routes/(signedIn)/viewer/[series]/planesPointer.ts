/**
 * Mouse and fingers in a pane: the wheel goes through the planes, the main button moves the crosshair where it takes
 * hold of it and else does what the tool in hand does; a click takes the crosshair along, and with the hand tool
 * moves its place into the middle. Two fingers zoom and move.
 */
import type { Attachment } from 'svelte/attachments';
import type { PlaneName } from '$lib/dicom/planes';
import type { PlanesView } from '$lib/state/planesView.svelte';
import { toCell, toImage, type Matrix } from '$lib/viewer/placement';
import type { ToolName } from '$lib/viewer/types';

export interface PointerContext {
  view: PlanesView;
  name: PlaneName;
  tool: ToolName;
  matrix: Matrix;
  onhover(point: readonly [column: number, row: number] | null): void;
}

type Action = 'crosshair' | 'across' | 'down' | 'scroll' | 'window' | 'zoom' | 'pan';

const NEAR_PX = 8;
const CENTRE_PX = 18;
const CLICK_PX = 4;
const WHEEL_PX = 60;
const SCROLL_PX = 6;

export function planesPointer(get: () => PointerContext): Attachment<HTMLElement> {
  return (element) => {
    const fingers = new Map<number, { x: number; y: number }>();
    let action: Action | null = null;
    let moved = 0;
    let rest = 0;
    let wheel = 0;

    const placeIn = ({ clientX, clientY }: MouseEvent) => {
      const { left, top } = element.getBoundingClientRect();
      return { x: clientX - left, y: clientY - top };
    };

    function down(event: PointerEvent) {
      const context = get();
      const { view, name } = context;
      view.active = name;
      const place = placeIn(event);
      fingers.set(event.pointerId, place);
      element.setPointerCapture(event.pointerId);
      moved = rest = 0;
      action = fingers.size > 1 ? null : actionFor(event, place, context);
    }

    function move(event: PointerEvent) {
      const context = get();
      const place = placeIn(event);
      const before = fingers.get(event.pointerId);
      if (!before) return context.onhover(toImage(context.matrix, place.x, place.y));
      const [x, y] = [place.x - before.x, place.y - before.y];
      if (fingers.size === 2) pinch(event.pointerId, place, context);
      fingers.set(event.pointerId, place);
      moved += Math.abs(x) + Math.abs(y);
      if (fingers.size > 1 || !action || (moved < CLICK_PX && action !== 'crosshair')) return;
      rest = act(action, { x, y }, place, context, rest);
    }

    function up(event: PointerEvent) {
      const context = get();
      const place = placeIn(event);
      const wasClick = moved < CLICK_PX && fingers.size === 1 && event.button === 0;
      fingers.delete(event.pointerId);
      if (wasClick && event.type === 'pointerup') {
        const [column, row] = toImage(context.matrix, place.x, place.y);
        if (context.tool === 'pan') centre(context, column, row);
        else context.view.moveToPixel(context.name, column, row);
      }
      if (action === 'window') context.view.keepWindow();
      if (fingers.size === 0) action = null;
    }

    function turn(event: WheelEvent) {
      event.preventDefault();
      const { view, name } = get();
      view.active = name;
      const pixels = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : event.deltaY * WHEEL_PX;
      if (event.ctrlKey)
        return void view.setPane(name, { zoom: view.pane(name).zoom * Math.exp(-pixels / 300) });
      wheel += pixels;
      const steps = Math.trunc(wheel / WHEEL_PX);
      wheel -= steps * WHEEL_PX;
      if (steps) view.step(name, steps);
    }

    function pinch(id: number, place: { x: number; y: number }, { view, name, matrix }: PointerContext) {
      const [other] = [...fingers].filter(([key]) => key !== id).map(([, value]) => value);
      const before = fingers.get(id);
      if (!other || !before) return;
      const distance = (one: { x: number; y: number }) => Math.hypot(one.x - other.x, one.y - other.y) || 1;
      const { zoom, pan } = view.pane(name);
      const scale = Math.hypot(matrix[0], matrix[1]);
      const [x, y] = [(place.x - before.x) / 2 / scale, (place.y - before.y) / 2 / scale];
      view.setPane(name, {
        zoom: (zoom * distance(place)) / distance(before),
        pan: [pan[0] - x, pan[1] - y],
      });
    }

    const leave = () => get().onhover(null);
    const menu = (event: Event) => event.preventDefault();
    element.addEventListener('pointerdown', down);
    element.addEventListener('pointermove', move);
    element.addEventListener('pointerup', up);
    element.addEventListener('pointercancel', up);
    element.addEventListener('pointerleave', leave);
    element.addEventListener('contextmenu', menu);
    element.addEventListener('wheel', turn, { passive: false });
    return () => {
      element.removeEventListener('pointerdown', down);
      element.removeEventListener('pointermove', move);
      element.removeEventListener('pointerup', up);
      element.removeEventListener('pointercancel', up);
      element.removeEventListener('pointerleave', leave);
      element.removeEventListener('contextmenu', menu);
      element.removeEventListener('wheel', turn);
    };
  };
}

/** Moves a point into the middle of the pane: what a drag does, for those who cannot drag. */
function centre({ view, name }: PointerContext, column: number, row: number): void {
  const { columns = 1, rows = 1 } = view.plane(name) ?? {};
  view.setPane(name, { pan: [column - (columns - 1) / 2, row - (rows - 1) / 2] });
}

function actionFor(
  { button, pointerType }: PointerEvent,
  { x, y }: { x: number; y: number },
  { view, name, tool, matrix }: PointerContext,
): Action {
  if (button === 2) return 'zoom';
  if (button === 1) return 'pan';
  const pixel = view.pixel(name);
  if (pixel) {
    const [cx, cy] = toCell(matrix, pixel);
    const reach = pointerType === 'touch' ? 2 : 1;
    if (Math.hypot(x - cx, y - cy) < CENTRE_PX * reach) return 'crosshair';
    if (Math.abs(x - cx) < NEAR_PX) return 'across';
    if (Math.abs(y - cy) < NEAR_PX) return 'down';
  }
  return tool === 'scroll' || tool === 'window' || tool === 'zoom' || tool === 'pan' ? tool : 'crosshair';
}

/** Does a part of a drag; returns what is left of it for the next. */
function act(
  action: Action,
  by: { x: number; y: number },
  { x, y }: { x: number; y: number },
  { view, name, matrix }: PointerContext,
  rest: number,
): number {
  const { zoom, pan } = view.pane(name);
  const scale = Math.hypot(matrix[0], matrix[1]);
  const [column, row] = toImage(matrix, x, y);
  const pixel = view.pixel(name) ?? [0, 0];
  switch (action) {
    case 'crosshair':
      view.moveToPixel(name, column, row);
      return 0;
    case 'across':
      view.moveToPixel(name, column, pixel[1]);
      return 0;
    case 'down':
      view.moveToPixel(name, pixel[0], row);
      return 0;
    case 'window':
      view.dragWindow(by.x, by.y);
      return 0;
    case 'zoom':
      view.setPane(name, { zoom: zoom * Math.exp(-by.y / 200) });
      return 0;
    case 'pan':
      view.setPane(name, { pan: [pan[0] - by.x / scale, pan[1] - by.y / scale] });
      return 0;
    case 'scroll': {
      const steps = Math.trunc((rest + by.y) / SCROLL_PX);
      if (steps) view.step(name, steps);
      return rest + by.y - steps * SCROLL_PX;
    }
  }
}
