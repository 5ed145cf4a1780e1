/**
 * A measurement that is just being drawn. Points are placed by dragging, by clicking one after the other, or both: what
 * is dragged far enough places two points, a click one.
 */
import type { ImagePoint } from '$lib/viewer/types';
import type { Spacing } from './geometry';
import { isDrawn, PLACED, shapeOf } from './shaping';
import type { ImagePlace, MeasurementKind } from './types';

export class Drawing {
  #placed = $state.raw<readonly ImagePoint[]>([]);
  #hover = $state.raw<ImagePoint | null>(null);
  #isPressed = false;
  #isDragged = false;

  constructor(
    readonly kind: MeasurementKind,
    readonly place: ImagePlace,
    readonly spacing: Spacing,
  ) {}

  /** What is to be seen of it by now. */
  get points(): readonly ImagePoint[] {
    const placed = this.#hover ? [...this.#placed, this.#hover] : this.#placed;
    return shapeOf(this.kind, placed, this.spacing);
  }

  get isComplete(): boolean {
    return !this.#isPressed && this.#placed.length >= PLACED[this.kind];
  }

  /** Whether it has an extent: a click twice at the same place is nothing. */
  get isDrawn(): boolean {
    return isDrawn(this.kind, shapeOf(this.kind, this.#placed, this.spacing));
  }

  get remaining(): number {
    return PLACED[this.kind] - this.#placed.length;
  }

  press(point: ImagePoint): void {
    this.#isPressed = true;
    this.#isDragged = false;
    this.#hover = null;
    this.#placed = [...this.#placed, point];
  }

  /** `isFar`: far enough from where it was pressed to be dragging. */
  move(point: ImagePoint, isFar: boolean): void {
    if (!this.#isPressed) {
      if (this.#placed.length > 0) this.#hover = point;
      return;
    }
    this.#isDragged ||= isFar;
    if (!this.#isDragged) return;
    if (this.remaining === 0) this.#placed = [...this.#placed.slice(0, -1), point];
    else this.#hover = point;
  }

  release(): void {
    this.#isPressed = false;
    if (this.#isDragged && this.#hover && this.remaining > 0) this.#placed = [...this.#placed, this.#hover];
    this.#hover = null;
  }
}
