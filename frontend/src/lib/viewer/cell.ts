/** One picture of the viewer: a stack, the slice of it that is wanted, and how it is shown. */
import type { ListedSlice } from '$lib/api/frames';
import { imageIdOf, StackTooLarge, type Stack } from './stack';
import { Cine } from './cine';
import { chooseVoi, paddingOf } from './drawing';
import type { Engine } from './engine';
import { sliceFacts } from './facts';
import { watchGestures } from './gestures';
import { isSilent } from '$lib/api/problem';
import { setMark } from './marks';
import { probeAt } from './probing';
import { acquireStack, releaseStack } from './registry';
import { enableSliceViewport, type SliceViewport } from './sliceViewport';
import type {
  CellHandlers,
  CellPhase,
  CellState,
  CellView,
  ImageCell,
  ImagePoint,
  ProbeResult,
  SeriesChoice,
  ShowOptions,
  ShowResult,
  SliceValues,
  StackProgress,
  TooLarge,
  WindowSetting,
} from './types';
import type { Voi } from './voi';

const NEUTRAL: CellView = {
  index: 0,
  window: null,
  isInverted: false,
  zoom: 1,
  pan: [0, 0],
  rotation: 0,
  isFlippedHorizontally: false,
  isFlippedVertically: false,
};
const NO_PROGRESS: StackProgress = {
  count: 0,
  loaded: 0,
  failed: 0,
  bytes: 0,
  totalBytes: 0,
  statuses: [],
  isOffline: false,
};
const MIN_ZOOM = 0.05;
const MAX_ZOOM = 100;
/** A CSS pixel is by definition 1/96 inch. */
const MM_PER_CSS_PIXEL = 25.4 / 96;

let nextId = 0;

export class Cell implements ImageCell {
  readonly id = `cell-${nextId++}`;
  readonly viewport: SliceViewport;
  readonly #engine: Engine;
  readonly #handlers: CellHandlers;
  readonly #cine: Cine;
  readonly #forgetGestures: () => void;
  readonly #sizes: ResizeObserver;
  #phase: CellPhase = 'empty';
  #view: CellView = NEUTRAL;
  #choice: SeriesChoice | null = null;
  /** Whether somebody said which slice is wanted; else the stack opens in its middle. */
  #hasIndex = false;
  #isWindowed = false;
  #stack: Stack | null = null;
  /** What gives the stack back, also one that is still on its way. */
  #lease: Promise<Stack> | null = null;
  #forgetStack: (() => void) | null = null;
  #guess: WindowSetting | 'constant' | null = null;
  #voi: { key: string; voi: Voi | null } | null = null;
  #problem: unknown = null;
  /** Of the stack before its files changed: how many slices, and which one was looked at. */
  #before: { count: number; index: number; slice: ListedSlice | undefined } | null = null;
  #tooLarge: TooLarge | null = null;
  /** Counts the stacks that were asked for: an answer to an earlier one is not for us any more. */
  #turn = 0;
  #drawnCount = 0;
  #frame = 0;
  #marks = new Set<string>();

  constructor(
    engine: Engine,
    readonly element: HTMLDivElement,
    handlers: CellHandlers,
  ) {
    this.#engine = engine;
    this.#handlers = handlers;
    this.viewport = enableSliceViewport(engine.cornerstone, this.id, element);
    this.viewport.ondrawn = (shown) => shown && this.#ondrawn();
    this.#cine = new Cine((step) => this.#playOn(step));
    this.#forgetGestures = watchGestures(this, engine, handlers);
    this.#sizes = new ResizeObserver(() => this.resize());
    this.#sizes.observe(element);
  }

  get stack(): Stack | null {
    return this.#stack;
  }

  get view(): CellView {
    return this.#view;
  }

  get drawnCount(): number {
    return this.#drawnCount;
  }

  get state(): CellState {
    const { shown } = this.viewport;
    const slice = shown && sliceFacts(shown, this.#stack, this.#view, this.#guess, this.#voi?.voi ?? null);
    const scale = this.viewport.scale;
    const columnMm = slice?.spacingMm?.[1] ?? null;
    return {
      phase: this.#phase,
      series: this.#choice,
      view: this.#view,
      count: this.#stack?.count ?? 0,
      countBefore: this.#before?.count ?? null,
      shownIndex: shown?.index ?? null,
      slice,
      isLoading:
        this.#phase === 'opening' || (this.#phase === 'open' && !this.#isWantedHere() && !this.#problem),
      progress: this.#stack?.frames.progress ?? NO_PROGRESS,
      problem: this.#problem,
      tooLarge: this.#tooLarge,
      isWindowed: this.#isWindowed,
      isPlaying: this.#cine.isPlaying,
      framesPerSecond: this.#cine.rate,
      scale,
      mmPerCssPixel: shown && columnMm !== null ? columnMm / scale : null,
    };
  }

  async show(
    choice: SeriesChoice,
    view: Partial<CellView> = {},
    { isWindowed = false }: ShowOptions = {},
  ): Promise<ShowResult> {
    const turn = ++this.#turn;
    this.pause();
    const before = this.#leave();
    this.#choice = choice;
    this.#before = null;
    this.#isWindowed = isWindowed;
    this.#view = { ...NEUTRAL, ...view };
    this.#hasIndex = view.index !== undefined;
    this.#phase = 'opening';
    this.#emit();
    const { budget } = this.#engine;
    const lease = acquireStack(choice, view.index ?? null, { budget, isWindowed });
    this.#lease = lease;
    // The new one first: where it is the old one, nothing is fetched again.
    before?.();
    try {
      const stack = await lease;
      if (turn !== this.#turn) return 'superseded';
      this.#enter(stack);
      return 'shown';
    } catch (error) {
      if (turn !== this.#turn) return 'superseded';
      return this.#refuse(error);
    }
  }

  update(change: Partial<CellView>): void {
    const { index = this.#view.index, zoom = this.#view.zoom, rotation = this.#view.rotation } = change;
    if (change.index !== undefined) this.#hasIndex = true;
    this.#view = {
      ...this.#view,
      ...change,
      index: this.#toIndex(index),
      // Down to one pixel of the screen for each column, however small the picture.
      zoom: Math.max(Math.min(MIN_ZOOM, 1 / this.viewport.fitScale), Math.min(zoom, MAX_ZOOM)),
      rotation: ((rotation % 360) + 360) % 360,
    };
    this.#refresh();
  }

  /** Between the ends; until the stack is here its end is not known, and the slice is put there when it opens. */
  #toIndex(index: number): number {
    const last = this.#stack ? this.#stack.count - 1 : Infinity;
    return Math.max(0, Math.min(Math.round(index), last));
  }

  scrollTo(index: number): void {
    // At the ends nothing changes, however far the wheel is turned.
    if (this.#toIndex(index) !== this.#view.index) this.update({ index });
  }

  scrollBy(slices: number): void {
    if (this.#hasIndex) this.scrollTo(this.#view.index + slices);
  }

  fit(): void {
    this.update({ zoom: 1, pan: [0, 0] });
  }

  oneToOneMm(): boolean {
    const column = this.viewport.shown?.description.spacingMm?.[1];
    if (!column) return false;
    this.update({ zoom: column / MM_PER_CSS_PIXEL / this.viewport.fitScale });
    return true;
  }

  oneToOnePixels(): void {
    this.update({ zoom: 1 / this.viewport.fitScale });
  }

  reset(): void {
    const { index } = this.#view;
    this.update({ ...NEUTRAL, index });
  }

  /** Zooms so that the point under the cursor stays where it is. */
  zoomAt(factor: number, clientX: number, clientY: number): void {
    const before = this.toImagePoint(clientX, clientY);
    this.update({ zoom: this.#view.zoom * factor });
    const after = this.toImagePoint(clientX, clientY);
    if (!before || !after) return;
    const [x, y] = this.#view.pan;
    this.update({ pan: [x + before[0] - after[0], y + before[1] - after[1]] });
  }

  /** Moves the picture by CSS pixels. */
  panBy(x: number, y: number): void {
    const [a, b] = [this.viewport.toImagePoint(0, 0), this.viewport.toImagePoint(x, y)];
    const [column, row] = this.#view.pan;
    this.update({ pan: [column - (b[0] - a[0]), row - (b[1] - a[1])] });
  }

  /** Width by the first number, center by the second, in steps that suit the range of the values. */
  dragWindow(across: number, down: number): void {
    const { shown } = this.viewport;
    const now = this.state.slice?.window;
    if (!shown) return;
    if (shown.pixels.isColor) return this.#handlers.onwindowless?.(shown.pixels.isDrawnByServer ?? false);
    const { min, max } = shown.pixels;
    const step = Math.max((max - min) / 1024, 1e-9);
    const center = (now?.center ?? (min + max) / 2) + down * step;
    const smallest =
      now?.function === 'LINEAR' && Number.isInteger(min) && Number.isInteger(max) ? 1 : step / 100;
    const width = Math.max(smallest, (now?.width ?? max - min) + across * step);
    this.update({
      window: { center, width, function: now?.function ?? 'LINEAR', source: 'set', explanation: null },
    });
  }

  probe(clientX: number, clientY: number): ProbeResult | null {
    const point = this.toImagePoint(clientX, clientY);
    const { shown } = this.viewport;
    return point && shown && probeAt(shown, point, this.viewport.toWorldPoint(point));
  }

  sliceValues(): SliceValues | null {
    const { shown } = this.viewport;
    if (!shown || shown.pixels.isColor || shown.pixels.isDrawnByServer) return null;
    const { pixels, description } = shown;
    const { sopInstanceUid, frameNumber } = description;
    const { rows, columns } = pixels.layout;
    return {
      sopInstanceUid,
      frameNumber,
      rows,
      columns,
      values: pixels.values,
      padding: paddingOf(description),
    };
  }

  findSlice(sopInstanceUid: string, frameNumber: number): number | null {
    const slices = this.#stack?.list.slices ?? [];
    const found = slices.findIndex(
      (slice) => slice.sop_instance_uid === sopInstanceUid && slice.frame_number === frameNumber,
    );
    return found < 0 ? null : found;
  }

  toImagePoint(clientX: number, clientY: number): ImagePoint | null {
    if (!this.viewport.shown) return null;
    const { left, top } = this.element.getBoundingClientRect();
    return this.viewport.toImagePoint(clientX - left, clientY - top);
  }

  toClientPoint(point: ImagePoint): readonly [number, number] | null {
    if (!this.viewport.shown) return null;
    const { left, top } = this.element.getBoundingClientRect();
    const [x, y] = this.viewport.toCellPoint(point);
    return [left + x, top + y];
  }

  play(framesPerSecond?: number): void {
    const rate = framesPerSecond ?? this.viewport.shown?.description.framesPerSecond ?? null;
    if ((this.#stack?.count ?? 0) > 1) this.#cine.play(rate);
    this.#emit();
  }

  pause(): void {
    if (!this.#cine.isPlaying) return;
    this.#cine.pause();
    this.#emit();
  }

  retry(): void {
    this.#problem = null;
    if (this.#stack) {
      this.#stack.frames.retry();
      void this.#stack.look();
    } else if (this.#choice) void this.show(this.#choice, this.#view, { isWindowed: this.#isWindowed });
    this.#emit();
  }

  snapshot(): HTMLCanvasElement | null {
    if (!this.viewport.shown) return null;
    const { canvas } = this.viewport;
    const copy = document.createElement('canvas');
    [copy.width, copy.height] = [canvas.width, canvas.height];
    copy.getContext('2d')?.drawImage(canvas, 0, 0);
    return copy;
  }

  clear(): void {
    this.#turn++;
    this.pause();
    this.#leave()?.();
    this.#choice = null;
    this.#phase = 'empty';
    this.#view = NEUTRAL;
    this.#emit();
  }

  /** Takes the pixels away and keeps series and view, for `restore`. */
  clearPixels(): void {
    this.#turn++;
    this.pause();
    this.#leave()?.();
    if (this.#choice) this.#phase = 'opening';
    this.#emit();
  }

  restore(): void {
    if (this.#choice && !this.#stack) {
      void this.show(this.#choice, this.#view, { isWindowed: this.#isWindowed });
    }
  }

  resize(): void {
    this.viewport.resize();
    this.viewport.render();
    this.#emit();
  }

  destroy(): void {
    this.#turn++;
    this.#cine.pause();
    this.#sizes.disconnect();
    this.#forgetGestures();
    this.#leave()?.();
    cancelAnimationFrame(this.#frame);
    this.#engine.cornerstone.disableElement(this.id);
  }

  /** Leaves the stack; returns what gives it back. */
  #leave(): (() => void) | null {
    this.#forgetStack?.();
    this.#forgetStack = null;
    const lease = this.#lease;
    this.#lease = null;
    this.#stack = null;
    this.#problem = this.#tooLarge = this.#guess = this.#voi = null;
    this.viewport.clearPixels();
    return lease && (() => releaseStack(lease));
  }

  #enter(stack: Stack): void {
    this.#stack = stack;
    this.#phase = 'open';
    this.#marks = new Set(['viewer:pixels', 'viewer:complete']);
    this.#forgetStack = stack.listen({
      onchange: (changed) => this.#onframe(changed),
      onstale: () => this.#reopen(),
      onsignedout: () => this.clearPixels(),
    });
    this.viewport.setImages(stack.imageIds);
    const index = this.#sameSlice() ?? (this.#hasIndex ? this.#view.index : Math.floor(stack.count / 2));
    this.update({ index });
    // All may be here already: another cell shows it, or it was fetched ahead.
    if (stack.frames.isComplete) this.#mark('viewer:complete');
  }

  #refuse(error: unknown): ShowResult {
    if (error instanceof StackTooLarge) {
      this.#phase = 'tooLarge';
      this.#tooLarge = { bytes: error.bytes, budget: error.budget };
      this.#emit();
      return 'tooLarge';
    }
    this.#phase = 'failed';
    this.#problem = error;
    this.#emit();
    if (!isSilent(error)) this.#handlers.onerror?.(error);
    return 'failed';
  }

  /** Files changed on the server: the list is read again, and the slice that was looked at is found in it. */
  #reopen(): void {
    if (!this.#choice || !this.#stack) return;
    const { index } = this.#view;
    const count = this.#before?.count ?? this.#stack.count;
    const slice = this.#stack.list.slices[index];
    void this.show(this.#choice, this.#view, { isWindowed: this.#isWindowed });
    this.#before = { count, index, slice };
  }

  /** Where the slice lies now that was looked at before files changed; null: gone, or nobody waits for it any more. */
  #sameSlice(): number | null {
    const { index, slice } = this.#before ?? {};
    if (!slice || index !== this.#view.index) return null;
    return this.findSlice(slice.sop_instance_uid, slice.frame_number);
  }

  #onframe(changed: number | null): void {
    if (changed === this.#view.index || (changed === null && !this.#isWantedHere())) this.#refresh();
    if (this.#stack?.frames.isComplete) this.#mark('viewer:complete');
    this.#emit();
  }

  #isWantedHere(): boolean {
    return this.viewport.shown?.index === this.#view.index;
  }

  /** Shows the wanted slice if it is here, says why not, or goes on waiting: never another one under its number. */
  #refresh(): void {
    const stack = this.#stack;
    if (!stack) return this.#emit();
    const { index } = this.#view;
    stack.frames.want(index);
    const [pixels, description] = [stack.frames.get(index), stack.description(index)];
    const problem = stack.frames.problemOf(index);
    if (problem) this.#fail(problem);
    else {
      this.#problem = null;
      if (pixels && description) {
        const shown = { index, imageId: stack.imageIds[index] ?? '', pixels, description };
        const voi = pixels.isColor ? null : this.#chooseVoi(stack, description, index);
        if (voi || pixels.isColor) {
          this.viewport.showSlice(shown);
          this.viewport.setView(this.#view, voi);
          this.viewport.render();
          return this.#emit();
        }
      }
    }
    if (this.viewport.shown) {
      this.viewport.setView(this.#view, this.#voi?.voi ?? null);
      this.viewport.render();
    }
    this.#emit();
  }

  #fail(problem: unknown): void {
    this.viewport.showSlice(null);
    this.viewport.render();
    if (problem !== this.#problem) {
      this.#problem = problem;
      if (!isSilent(problem)) this.#handlers.onerror?.(problem);
    }
  }

  /** The same object as long as nothing changes, so that pictures are drawn once. */
  #chooseVoi(stack: Stack, description: NonNullable<ReturnType<Stack['description']>>, index: number) {
    const voi = chooseVoi(description, this.#view.window, this.#guess);
    if (!voi) {
      stack.guessWindow(index).then(
        (guess) => {
          this.#guess = guess;
          if (stack === this.#stack) this.#refresh();
        },
        (error: unknown) => stack === this.#stack && this.#fail(error),
      );
      return null;
    }
    const key =
      voi.kind === 'window'
        ? JSON.stringify(voi.window)
        : `${voi.kind} ${imageIdOf(stack.choice, stack.list.slices[index] as never)}`;
    if (this.#voi?.key !== key) this.#voi = { key, voi };
    return this.#voi.voi;
  }

  #playOn(step: number): void {
    const stack = this.#stack;
    if (!stack) return this.pause();
    const next = (this.#view.index + step) % stack.count;
    // The next picture is waited for: a film without some of its frames is another one.
    if (stack.frames.get(next) || stack.frames.problemOf(next)) this.scrollTo(next);
    else stack.frames.want(next);
  }

  #ondrawn(): void {
    this.#drawnCount++;
    this.#mark('viewer:pixels');
  }

  #mark(name: 'viewer:pixels' | 'viewer:complete'): void {
    if (this.#marks.delete(name)) setMark(name);
  }

  #emit(): void {
    if (!this.#handlers.onchange || this.#frame) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#handlers.onchange?.(this.state);
    });
  }
}
