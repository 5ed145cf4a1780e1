/** What is not meant for measuring goes to the picture below: wheel, other buttons, hovering, and two fingers. */
import type { ImageCell } from '$lib/viewer/types';

interface Finger {
  x: number;
  y: number;
}

export class PinchThrough {
  readonly #cell: () => ImageCell;
  readonly #onpinch: () => void;
  readonly #fingers = new Map<number, Finger>();
  #isPinching = false;

  /** `onpinch`: a second finger came down; what the first began is not meant. */
  constructor(cell: () => ImageCell, onpinch: () => void) {
    this.#cell = cell;
    this.#onpinch = onpinch;
  }

  /** True where the pointer is one of two fingers. */
  down({ pointerType, pointerId, clientX, clientY }: PointerEvent): boolean {
    if (pointerType !== 'touch') return false;
    this.#fingers.set(pointerId, { x: clientX, y: clientY });
    if (this.#fingers.size < 2) return false;
    this.#isPinching = true;
    this.#onpinch();
    return true;
  }

  move({ pointerId, clientX, clientY }: PointerEvent): boolean {
    const before = this.#fingers.get(pointerId);
    if (before) {
      const now = { x: clientX, y: clientY };
      const other = [...this.#fingers].find(([id]) => id !== pointerId)?.[1];
      if (this.#isPinching && other) this.#pinch(before, now, other);
      this.#fingers.set(pointerId, now);
    }
    return this.#isPinching;
  }

  /** True until the last finger has left. */
  up({ pointerId }: PointerEvent): boolean {
    this.#fingers.delete(pointerId);
    const wasPinching = this.#isPinching;
    if (this.#fingers.size === 0) this.#isPinching = false;
    return wasPinching;
  }

  end(): void {
    this.#fingers.clear();
    this.#isPinching = false;
  }

  wheel(event: WheelEvent): void {
    event.preventDefault();
    this.#cell().element.dispatchEvent(new WheelEvent('wheel', event));
  }

  pass(event: PointerEvent): void {
    this.#cell().element.dispatchEvent(new PointerEvent(event.type, event));
  }

  /** Two fingers zoom by their distance and move by their middle. */
  #pinch(before: Finger, now: Finger, other: Finger): void {
    const cell = this.#cell();
    const { view } = cell.state;
    const distance = ({ x, y }: Finger) => Math.max(1, Math.hypot(x - other.x, y - other.y));
    const middle = ({ x, y }: Finger) => [(x + other.x) / 2, (y + other.y) / 2] as const;
    const anchor = cell.toImagePoint(...middle(before));
    cell.update({ zoom: (view.zoom * distance(now)) / distance(before) });
    const after = cell.toImagePoint(...middle(now));
    if (!anchor || !after) return;
    const { pan } = cell.state.view;
    cell.update({ pan: [pan[0] + anchor[0] - after[0], pan[1] + anchor[1] - after[1]] });
  }
}
