/** Keys for measuring. Those of the page (tools, slices) are handled elsewhere; these go first where they apply. */
import type { ImagePoint } from '$lib/viewer/types';
import type { Vector } from './geometry';

export interface LayerActions {
  readonly isDrawing: boolean;
  readonly isMeasuring: boolean;
  readonly hasCursor: boolean;
  readonly hasSelection: boolean;
  cancel(): void;
  deselect(): void;
  remove(): void;
  rename(): void;
  undo(): void;
  redo(): void;
  place(): void;
  moveCursor(by: Vector): void;
  nudge(by: Vector): void;
}

const TYPING = 'input:not([type=checkbox]), select, textarea, [contenteditable]';
const ARROWS: Record<string, ImagePoint> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
/** Where Enter presses something. */
const PRESSABLE = 'button, a, summary, [role=button], [role=slider]';

/** True where the key was for measuring. */
export function handleLayerKey(event: KeyboardEvent, layer: LayerActions): boolean {
  const target = event.target instanceof Element ? event.target : null;
  if (event.isComposing || target?.closest('dialog') || target?.closest(TYPING)) return false;
  const isUndo = event.key.toLowerCase() === 'z' || event.key.toLowerCase() === 'y';
  if (event.ctrlKey || event.metaKey) {
    if (!isUndo || event.altKey) return false;
    if (event.shiftKey || event.key.toLowerCase() === 'y') layer.redo();
    else layer.undo();
    return true;
  }
  const arrow = ARROWS[event.key];
  if (arrow) return handleArrow(arrow, event, layer);
  switch (event.key) {
    case 'Escape':
      if (layer.isDrawing || layer.hasCursor) layer.cancel();
      else if (layer.hasSelection) layer.deselect();
      else return false;
      return true;
    case 'Delete':
      if (!layer.hasSelection) return false;
      layer.remove();
      return true;
    case 'F2':
      if (!layer.hasSelection) return false;
      layer.rename();
      return true;
    case 'Enter':
      if (!layer.isMeasuring || target?.closest(PRESSABLE)) return false;
      layer.place();
      return true;
  }
  return false;
}

/** The cross of the keyboard, else with Alt the selected measurement. */
function handleArrow(direction: ImagePoint, event: KeyboardEvent, layer: LayerActions): boolean {
  const step = event.shiftKey ? 10 : 1;
  const by: Vector = [direction[0] * step, direction[1] * step];
  if (layer.hasCursor) layer.moveCursor(by);
  else if (event.altKey && layer.hasSelection) layer.nudge(by);
  else return false;
  return true;
}
