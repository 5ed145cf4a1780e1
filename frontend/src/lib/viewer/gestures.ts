/** Mouse, wheel and fingers on a picture: what scrolls, windows, zooms and moves it. */
import type { Cell } from './cell';
import type { Engine } from './engine';
import { Magnifier } from './magnifier';
import type { CellHandlers, ToolName } from './types';

/** Tools that change how the picture is shown; the others draw on it and have gestures of their own. */
const SHOWING = new Set<ToolName>(['scroll', 'window', 'zoom', 'pan', 'magnify', 'probe']);
/** A mouse wheel turns in steps of about so many CSS pixels; touch pads send many small ones. */
const WHEEL_STEP = 100;
const LINE_HEIGHT = 33;
/** CSS pixels that a finger or a mouse moves for one slice: few where there are many of them. */
const [MIN_DRAG, MAX_DRAG] = [2, 24];

function isShowing(tool: ToolName): boolean {
  return SHOWING.has(tool);
}

/** Watches the element of a cell; returns what ends that. */
export function watchGestures(cell: Cell, engine: Engine, handlers: CellHandlers): () => void {
  const { element } = cell;
  const gestures = new Gestures(cell, engine, handlers);
  const ending = new AbortController();
  const { signal } = ending;
  element.addEventListener('wheel', gestures.onwheel, { passive: false, signal });
  element.addEventListener('pointerdown', gestures.ondown, { capture: true, signal });
  element.addEventListener('pointermove', gestures.onmove, { signal });
  for (const name of ['pointerup', 'pointercancel'] as const) {
    element.addEventListener(name, gestures.onup, { signal });
  }
  element.addEventListener('pointerleave', gestures.onleave, { signal });
  element.addEventListener('contextmenu', (event) => event.preventDefault(), { signal });
  return () => {
    ending.abort();
    gestures.end();
  };
}

interface Pointer {
  x: number;
  y: number;
}

class Gestures {
  readonly #cell: Cell;
  readonly #engine: Engine;
  readonly #handlers: CellHandlers;
  readonly #pointers = new Map<number, Pointer>();
  readonly #magnifier: Magnifier;
  /** What the pressed button does. */
  #tool: ToolName | null = null;
  #start: Pointer = { x: 0, y: 0 };
  #wheel = 0;
  #slices = 0;

  constructor(cell: Cell, engine: Engine, handlers: CellHandlers) {
    this.#cell = cell;
    this.#engine = engine;
    this.#handlers = handlers;
    this.#magnifier = new Magnifier(cell);
  }

  readonly onwheel = (event: WheelEvent) => {
    event.preventDefault();
    this.#handlers.onactivate?.();
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : event.deltaY * LINE_HEIGHT;
    if (event.ctrlKey) {
      return this.#cell.zoomAt(Math.exp(-pixels / 400), event.clientX, event.clientY);
    }
    if (Math.sign(pixels) !== Math.sign(this.#wheel)) this.#wheel = 0;
    this.#wheel += pixels;
    // One notch is one slice, however far the system says that it turned.
    const isNotch = Math.abs(pixels) >= LINE_HEIGHT * 1.5;
    const steps = isNotch ? Math.sign(pixels) : Math.trunc(this.#wheel / (WHEEL_STEP / 2));
    if (steps === 0) return;
    this.#wheel = 0;
    this.#cell.scrollBy(steps);
  };

  readonly ondown = (event: PointerEvent) => {
    this.#handlers.onactivate?.();
    const pointer = { x: event.clientX, y: event.clientY };
    if (!this.#isForShowing(event)) return;
    // No text is selected, no picture dragged away.
    event.preventDefault();
    this.#cell.element.focus({ preventScroll: true });
    this.#cell.element.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, pointer);
    this.#start = pointer;
    this.#tool = this.#toolOf(event);
    if (this.#tool === 'magnify') this.#magnifier.show(pointer.x, pointer.y);
    if (this.#tool === 'probe') this.#probe(event);
  };

  readonly onmove = (event: PointerEvent) => {
    this.#probe(event);
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    const now = { x: event.clientX, y: event.clientY };
    this.#pointers.set(event.pointerId, now);
    if (this.#pointers.size === 2) this.#pinch(event.pointerId, before, now);
    else if (this.#pointers.size === 1) this.#drag(before, now);
  };

  readonly onup = (event: PointerEvent) => {
    this.#pointers.delete(event.pointerId);
    if (this.#pointers.size > 0) return;
    this.#tool = null;
    this.#slices = 0;
    this.#magnifier.hide();
  };

  readonly onleave = () => this.#handlers.onprobe?.(null);

  end(): void {
    this.#magnifier.hide();
  }

  /** Other buttons always show; the main one, and fingers, unless a tool draws. */
  #isForShowing(event: PointerEvent): boolean {
    if (this.#pointers.size > 0 || event.button === 1 || event.button === 2) return true;
    return isShowing(this.#engine.tool);
  }

  #toolOf(event: PointerEvent): ToolName {
    if (event.button === 1) return 'pan';
    if (event.button === 2) return 'zoom';
    if (event.shiftKey) return 'pan';
    if (event.ctrlKey || event.metaKey) return 'zoom';
    return this.#engine.tool;
  }

  #drag(before: Pointer, now: Pointer): void {
    const [x, y] = [now.x - before.x, now.y - before.y];
    switch (this.#tool) {
      case 'scroll':
        return this.#dragSlices(y);
      case 'window':
        return this.#cell.dragWindow(x, y);
      case 'zoom':
        return this.#cell.zoomAt(Math.exp(-y / 150), this.#start.x, this.#start.y);
      case 'pan':
        return this.#cell.panBy(x, y);
      case 'magnify':
        return this.#magnifier.show(now.x, now.y);
    }
  }

  #dragSlices(y: number): void {
    const count = this.#cell.stack?.count ?? 1;
    const height = this.#cell.element.clientHeight;
    const perSlice = Math.max(MIN_DRAG, Math.min(MAX_DRAG, height / count));
    this.#slices += y / perSlice;
    const whole = Math.trunc(this.#slices);
    if (whole === 0) return;
    this.#slices -= whole;
    this.#cell.scrollBy(whole);
  }

  /** Two fingers zoom by their distance and move by their middle. */
  #pinch(moved: number, before: Pointer, now: Pointer): void {
    const other = [...this.#pointers].find(([id]) => id !== moved)?.[1];
    if (!other) return;
    const distance = (a: Pointer) => Math.max(1, Math.hypot(a.x - other.x, a.y - other.y));
    this.#tool = null;
    this.#cell.panBy((now.x - before.x) / 2, (now.y - before.y) / 2);
    this.#cell.zoomAt(distance(now) / distance(before), (now.x + other.x) / 2, (now.y + other.y) / 2);
  }

  #probe(event: PointerEvent): void {
    if (this.#handlers.onprobe) this.#handlers.onprobe(this.#cell.probe(event.clientX, event.clientY));
  }
}
