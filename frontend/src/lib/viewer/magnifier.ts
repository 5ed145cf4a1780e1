/** A round glass over the picture, as long as a button is held. */
import type { Cell } from './cell';

const SIZE = 220;
const FACTOR = 2.5;

export class Magnifier {
  readonly #cell: Cell;
  #glass: HTMLCanvasElement | null = null;

  constructor(cell: Cell) {
    this.#cell = cell;
  }

  show(clientX: number, clientY: number): void {
    const { picture, matrix } = this.#cell.viewport;
    if (!picture) return;
    const glass = this.#glass ?? this.#make();
    const { left, top } = this.#cell.element.getBoundingClientRect();
    const [x, y] = [clientX - left, clientY - top];
    glass.style.transform = `translate(${x - SIZE / 2}px, ${y - SIZE / 2}px)`;
    const context = glass.getContext('2d');
    if (!context) return;
    const ratio = glass.width / SIZE;
    const [a, b, c, d, e, f] = matrix;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = 'black';
    context.fillRect(0, 0, glass.width, glass.height);
    // The place under the cursor stays in the middle of the glass.
    context.setTransform(ratio, 0, 0, ratio, (ratio * SIZE) / 2, (ratio * SIZE) / 2);
    context.scale(FACTOR, FACTOR);
    context.translate(-x, -y);
    context.transform(a, b, c, d, e, f);
    context.drawImage(picture, 0, 0);
  }

  hide(): void {
    this.#glass?.remove();
    this.#glass = null;
  }

  #make(): HTMLCanvasElement {
    const glass = document.createElement('canvas');
    const ratio = Math.min(2, window.devicePixelRatio || 1);
    glass.width = glass.height = SIZE * ratio;
    Object.assign(glass.style, {
      position: 'absolute',
      insetBlockStart: '0',
      left: '0',
      inlineSize: `${SIZE}px`,
      blockSize: `${SIZE}px`,
      borderRadius: '50%',
      boxShadow: '0 0 0 2px rgb(255 255 255 / 0.6)',
      pointerEvents: 'none',
      zIndex: '5',
    });
    glass.setAttribute('aria-hidden', 'true');
    this.#cell.element.append(glass);
    this.#glass = glass;
    return glass;
  }
}
