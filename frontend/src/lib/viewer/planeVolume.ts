/** Planes of a stack that cells show as well: cut from its slices where they are, and drawn as slices are. */
import type { PlaneName } from '$lib/dicom/planes';
import { chooseVoi, drawPixels, paddingOf } from './drawing';
import type { FrameDescription } from './description';
import { UnsupportedPixels } from './pixels';
import type { PlaneCut, PlaneVolume, PlaneVolumeOptions, PlaneVolumeState } from './planeTypes';
import { acquireStack, releaseStack } from './registry';
import { cutPlane, type Slices } from './reslicing';
import { StackTooLarge, type Stack } from './stack';
import type { StackProgress, WindowSetting } from './types';
import type { Voi } from './voi';

const NO_PROGRESS: StackProgress = {
  count: 0,
  loaded: 0,
  failed: 0,
  bytes: 0,
  totalBytes: 0,
  statuses: [],
  isOffline: false,
};

/** A plane that was cut, and its picture. */
interface Sheet {
  key: string;
  values: Float32Array<ArrayBuffer>;
  canvas: HTMLCanvasElement;
  drawn: string | null;
}

export class StackPlanes implements PlaneVolume {
  readonly #options: PlaneVolumeOptions;
  readonly #budget: number;
  readonly #sheets = new Map<PlaneName, Sheet>();
  #stack: Stack | null = null;
  #lease: Promise<Stack> | null = null;
  #forget: (() => void) | null = null;
  #middle: FrameDescription | null = null;
  #guess: WindowSetting | 'constant' | null = null;
  #phase: PlaneVolumeState['phase'] = 'opening';
  #problem: unknown = null;
  #tooLarge: PlaneVolumeState['tooLarge'] = null;
  /** Counts what came: a plane that was cut before is cut again. */
  #revision = 0;
  #turn = 0;
  #frame = 0;

  constructor(budget: number, options: PlaneVolumeOptions) {
    this.#budget = budget;
    this.#options = options;
    this.#open();
  }

  get state(): PlaneVolumeState {
    const voi = this.#voi(null);
    const guess = this.#guess === 'constant' ? null : this.#guess;
    return {
      phase: this.#phase,
      progress: this.#stack?.frames.progress ?? NO_PROGRESS,
      problem: this.#problem,
      tooLarge: this.#tooLarge,
      window: voi?.kind === 'window' ? (this.#middle?.windows[0] ?? guess) : null,
      unit: this.#middle?.unit ?? null,
      isLossy: this.#middle?.isLossy ?? false,
    };
  }

  draw(cut: PlaneCut): HTMLCanvasElement | null {
    const voi = this.#voi(cut.window);
    if (this.#phase !== 'open' || !voi || !this.#middle) return null;
    const sheet = this.#cut(cut);
    const drawn = JSON.stringify([voi.kind === 'window' ? voi.window : voi.kind, cut.isInverted]);
    if (sheet.drawn !== drawn) {
      this.#paint(sheet, cut, voi);
      sheet.drawn = drawn;
    }
    return sheet.canvas;
  }

  valueAt(name: PlaneName, column: number, row: number): number | null {
    const sheet = this.#sheets.get(name);
    const { width = 0, height = 0 } = sheet?.canvas ?? {};
    if (column < 0 || row < 0 || column >= width || row >= height) return null;
    const value = sheet?.values[row * width + column] ?? NaN;
    return Number.isNaN(value) ? null : value;
  }

  retry(): void {
    if (this.#stack) this.#stack.frames.retry();
    else this.#open();
  }

  close(): void {
    cancelAnimationFrame(this.#frame);
    this.#leave();
  }

  /** Takes all pixels away, for `restore`. */
  clearPixels(): void {
    this.#leave();
    this.#phase = 'opening';
    this.#emit();
  }

  restore(): void {
    if (!this.#stack) this.#open();
  }

  #open(): void {
    const turn = ++this.#turn;
    this.#phase = 'opening';
    this.#problem = this.#tooLarge = null;
    const { choice, index } = this.#options;
    // At once, so that a stack which a cell is about to leave stays.
    const lease = acquireStack(choice, index, { budget: this.#budget, isWindowed: false });
    this.#lease = lease;
    lease.then(
      (stack) => (turn === this.#turn ? this.#enter(stack, turn) : undefined),
      (error: unknown) => turn === this.#turn && this.#fail(error),
    );
  }

  #enter(stack: Stack, turn: number): void {
    this.#stack = stack;
    this.#phase = 'open';
    this.#forget = stack.listen({
      onchange: (index) => this.#onframe(index),
      onstale: () => {
        this.#leave();
        this.#open();
      },
      onsignedout: () => this.clearPixels(),
    });
    this.#onframe(null);
    const middle = Math.floor(stack.count / 2);
    stack
      .describe(middle)
      .then(async (description) => {
        const needsGuess = !chooseVoi(description, null, null);
        const guess = needsGuess ? await stack.guessWindow(middle) : null;
        if (turn !== this.#turn) return;
        this.#middle = description;
        this.#guess = guess;
        this.#emit();
      })
      .catch((error: unknown) => turn === this.#turn && this.#fail(error));
  }

  #leave(): void {
    this.#turn++;
    this.#forget?.();
    this.#forget = null;
    this.#sheets.clear();
    if (this.#lease) releaseStack(this.#lease);
    this.#lease = null;
    this.#stack = this.#middle = this.#guess = null;
  }

  #fail(error: unknown): void {
    if (error instanceof StackTooLarge) {
      this.#phase = 'tooLarge';
      this.#tooLarge = { bytes: error.bytes, budget: error.budget };
    } else {
      this.#phase = 'failed';
      this.#problem = error;
    }
    this.#emit();
  }

  #onframe(index: number | null): void {
    const pixels = index === null ? undefined : this.#stack?.frames.get(index);
    if (pixels?.isColor) {
      const turn = this.#turn;
      this.#leave();
      if (turn) this.#fail(new UnsupportedPixels('drawn by the server'));
      return;
    }
    this.#revision++;
    this.#emit();
  }

  #voi(window: WindowSetting | null): Voi | null {
    return this.#middle && chooseVoi(this.#middle, window, this.#guess);
  }

  #cut({ name, plane, slab, projection }: PlaneCut): Sheet {
    const key = JSON.stringify([slab, slab[0] === slab[1] ? null : projection, this.#revision]);
    const before = this.#sheets.get(name);
    if (before?.key === key) return before;
    const values = cutPlane(this.#slices(), plane, slab, projection);
    const canvas = before?.canvas ?? document.createElement('canvas');
    if (canvas.width !== plane.columns) canvas.width = plane.columns;
    if (canvas.height !== plane.rows) canvas.height = plane.rows;
    const sheet = { key, values, canvas, drawn: null };
    this.#sheets.set(name, sheet);
    return sheet;
  }

  #slices(): Slices {
    const stack = this.#stack as Stack;
    const { rows, columns } = this.#middle as FrameDescription;
    return {
      rows,
      columns,
      count: stack.count,
      affine: this.#options.affine,
      values: (slice) => stack.frames.get(slice)?.values,
      padding: (slice) => paddingOf(stack.description(slice) ?? (this.#middle as FrameDescription)),
    };
  }

  #paint({ canvas, values }: Sheet, { isInverted }: PlaneCut, voi: Voi): void {
    const middle = this.#middle as FrameDescription;
    const context = canvas.getContext('2d', { alpha: false, willReadFrequently: true });
    const image = new ImageData(canvas.width, canvas.height);
    // A table has entries for whole numbers; between two voxels there are others.
    const shown = voi.kind === 'table' ? values.map(Math.round) : values;
    const layout = {
      rows: canvas.height,
      columns: canvas.width,
      samplesPerPixel: 1,
      photometricInterpretation: middle.photometricInterpretation,
      bitsAllocated: 32,
      bitsStored: 32,
      isSigned: true,
      isFloat: true,
    };
    const pixels = { layout, isColor: false, values: shown, min: 0, max: 0 };
    drawPixels(new Uint32Array(image.data.buffer), pixels, { ...middle, padding: null }, voi, isInverted);
    context?.putImageData(image, 0, 0);
  }

  #emit(): void {
    if (this.#frame) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#options.onchange(this.state);
    });
  }
}
