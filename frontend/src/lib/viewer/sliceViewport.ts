/**
 * Cornerstone's stack viewport with our own drawing: pixels go through `drawing.ts` on the processor, which gives the
 * very grey values that the server gives, and with software WebGL is several times as fast as textures are. Everything
 * that tools need of a viewport (events, coordinates, image data) is there as they know it.
 */
import {
  Enums,
  registerViewportType,
  setUseCPURendering,
  StackViewport,
  triggerEvent,
  type RenderingEngine,
  type Types,
} from '@cornerstonejs/core';
import { imageOf } from './cornerstoneImages';
import type { FrameDescription } from './description';
import { drawPixels } from './drawing';
import { fitScale, placeMatrix, toCell, toImage, type Matrix } from './placement';
import type { SlicePixels } from './pixels';
import type { CellView, ImagePoint, WorldPoint } from './types';
import type { Voi } from './voi';

export interface ShownSlice {
  index: number;
  imageId: string;
  pixels: SlicePixels;
  description: FrameDescription;
}

type Vector = [number, number, number];

const TYPE = 'sliceStack';
/** Beyond two device pixels for each CSS pixel nobody sees more, and each picture costs more. */
const MAX_PIXEL_RATIO = 2;
let isRegistered = false;

/** Makes a viewport in an element that has its size already. */
export function enableSliceViewport(
  engine: RenderingEngine,
  viewportId: string,
  element: HTMLDivElement,
): SliceViewport {
  if (!isRegistered) {
    registerViewportType({ type: TYPE, ViewportClass: SliceViewport } as never);
    isRegistered = true;
  }
  // Viewports ask for this once, when they are made; others than ours stay on the graphics card.
  setUseCPURendering(true, false);
  try {
    engine.enableElement({ viewportId, element, type: TYPE as Enums.ViewportType });
  } finally {
    setUseCPURendering(false, false);
  }
  return engine.getViewport(viewportId) as unknown as SliceViewport;
}

export class SliceViewport extends StackViewport {
  #shown: ShownSlice | null = null;
  #voi: Voi | null = null;
  #view: CellView | null = null;
  #isInverted = false;
  /** The picture in its own size; drawn again when slice, window or inversion change. */
  #picture: HTMLCanvasElement | null = null;
  #isPictureStale = true;
  /** Where pixels are drawn; kept, since a film would make dozens of them a second. */
  #words: ImageData | null = null;
  #matrix: Matrix = [1, 0, 0, 1, 0, 0];
  readonly #context: CanvasRenderingContext2D | null;
  /** Told after each picture that was drawn. */
  ondrawn: ((shown: ShownSlice | null) => void) | null = null;

  static override get useCustomRenderingPipeline(): boolean {
    return true;
  }

  constructor(props: Types.ViewportInput) {
    super(props);
    // Tools know this kind of viewport.
    (this as { type: Enums.ViewportType }).type = Enums.ViewportType.STACK;
    // Nothing shows through: without a graphics card that halves what each picture of the page takes.
    this.#context = this.canvas.getContext('2d', { alpha: false });
    this.updateRenderingPipeline = () => undefined;
    this.resize = () => this.#fitCanvas();
    this.customRenderViewportToCanvas = () => this.#draw();
    this.canvasToWorld = ([x, y]) => this.#toWorld(toImage(this.#matrix, x, y));
    this.worldToCanvas = (world) => toCell(this.#matrix, this.#fromWorld(world));
    this.getImageData = () => this.#imageData() as never;
    this.getCamera = () => this.#camera();
    this.setCamera = () => undefined;
    this.resetCamera = () => true;
    this.getActors = () => [];
    this.getZoom = () => this.#view?.zoom ?? 1;
    this.getRotation = () => this.#view?.rotation ?? 0;
    // The memory of a canvas may be taken away; it comes back empty.
    this.canvas.addEventListener('contextrestored', () => {
      this.#isPictureStale = true;
      this.#draw();
    });
    this.#fitCanvas();
  }

  get shown(): ShownSlice | null {
    return this.#shown;
  }

  get matrix(): Matrix {
    return this.#matrix;
  }

  /** The picture in its own size, as it is on the canvas. */
  get picture(): HTMLCanvasElement | null {
    return this.#shown ? this.#picture : null;
  }

  setImages(imageIds: string[]): void {
    const inner = this as unknown as { imageIds: string[]; imageKeyToIndexMap: Map<string, number> };
    inner.imageIds = imageIds;
    inner.imageKeyToIndexMap.clear();
    imageIds.forEach((imageId, index) => {
      inner.imageKeyToIndexMap.set(imageId, index);
      inner.imageKeyToIndexMap.set(imageId.slice(imageId.indexOf(':') + 1), index);
    });
  }

  /** Puts another slice on the canvas, or none; drawn with the next picture of the screen. */
  showSlice(shown: ShownSlice | null): void {
    if (shown?.pixels !== this.#shown?.pixels) this.#isPictureStale = true;
    const isOther = shown?.imageId !== this.#shown?.imageId;
    this.#shown = shown;
    if (shown && isOther) this.#announce(shown);
    this.#place();
  }

  /** How the picture is drawn and where it lies. */
  setView(view: CellView, voi: Voi | null): void {
    if (voi !== this.#voi || view.isInverted !== this.#isInverted) this.#isPictureStale = true;
    this.#voi = voi;
    this.#isInverted = view.isInverted;
    const before = this.#view;
    this.#view = view;
    this.#place();
    if (before && isMoved(before, view)) this.#announceMove();
  }

  /** CSS pixels for one column. */
  get scale(): number {
    return Math.hypot(this.#matrix[0], this.#matrix[1]);
  }

  /** CSS pixels for one column at zoom 1. */
  get fitScale(): number {
    const size = this.#pictureSize();
    return size ? fitScale(size, this.#cellSize(), this.#view?.rotation ?? 0) : 1;
  }

  toImagePoint(x: number, y: number): ImagePoint {
    return toImage(this.#matrix, x, y);
  }

  toCellPoint(point: ImagePoint): [x: number, y: number] {
    return toCell(this.#matrix, point);
  }

  toWorldPoint(point: ImagePoint): WorldPoint | null {
    return this.#shown?.description.position ? this.#toWorld(point) : null;
  }

  /** Forgets pixels that it holds beside the stack. */
  clearPixels(): void {
    this.showSlice(null);
    this.#picture = this.#words = null;
    this.#draw();
  }

  #announce(shown: ShownSlice): void {
    const { index, imageId, pixels, description } = shown;
    const image = imageOf(imageId, pixels, description);
    const inner = this as unknown as {
      currentImageIdIndex: number;
      targetImageIdIndex: number;
      hasPixelSpacing: boolean;
      modality: string | null;
      _setCSImage(image: Types.IImage): void;
    };
    inner.currentImageIdIndex = inner.targetImageIdIndex = index;
    inner.hasPixelSpacing = description.spacingMm !== null;
    inner.modality = description.modality;
    inner._setCSImage(image);
    const { id: viewportId, renderingEngineId } = this;
    const detail = { image, imageId, imageIdIndex: index, viewportId, renderingEngineId };
    triggerEvent(this.element, Enums.Events.STACK_NEW_IMAGE, detail);
  }

  #announceMove(): void {
    const { id: viewportId, renderingEngineId, element } = this;
    const camera = this.#camera();
    triggerEvent(element, Enums.Events.CAMERA_MODIFIED, {
      previousCamera: camera,
      camera,
      element,
      viewportId,
      renderingEngineId,
    });
  }

  #pixelRatio(): number {
    return Math.min(MAX_PIXEL_RATIO, window.devicePixelRatio || 1);
  }

  #cellSize() {
    const { clientWidth, clientHeight } = this.element;
    return { width: clientWidth || 1, height: clientHeight || 1 };
  }

  #pictureSize() {
    if (!this.#shown) return null;
    const { layout } = this.#shown.pixels;
    return { columns: layout.columns, rows: layout.rows, aspect: this.#shown.description.pixelAspectRatio };
  }

  #fitCanvas(): void {
    const { width, height } = this.#cellSize();
    const ratio = this.#pixelRatio();
    const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
    const isResized = this.canvas.width !== across || this.canvas.height !== down;
    if (isResized) [this.canvas.width, this.canvas.height] = [across, down];
    this.#place();
    // Browsers empty a canvas that changes its size; the next picture of the screen may be long in coming.
    if (isResized && this.#shown) this.#draw();
  }

  #place(): void {
    const size = this.#pictureSize();
    if (size && this.#view) {
      this.#matrix = placeMatrix(this.#view, size, this.#cellSize(), this.#pixelRatio());
    }
  }

  #draw() {
    const context = this.#context;
    const { canvas, element, id: viewportId, renderingEngineId, viewportStatus } = this;
    if (context) {
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.fillStyle = 'black';
      context.fillRect(0, 0, canvas.width, canvas.height);
      if (this.#shown && this.#view) this.#drawPicture(context);
    }
    this.ondrawn?.(this.#shown);
    return { canvas, element, viewportId, renderingEngineId, viewportStatus };
  }

  #drawPicture(context: CanvasRenderingContext2D): void {
    const picture = this.#refreshPicture();
    const { width, height } = this.#cellSize();
    const [x, y] = [this.canvas.width / width, this.canvas.height / height];
    const [a, b, c, d, e, f] = this.#matrix;
    context.setTransform(a * x, b * y, c * x, d * y, e * x, f * y);
    context.imageSmoothingEnabled = Math.abs(this.scale * x - 1) > 1e-4;
    context.imageSmoothingQuality = this.scale * x < 0.5 ? 'medium' : 'low';
    context.drawImage(picture, 0, 0);
  }

  #refreshPicture(): HTMLCanvasElement {
    const { pixels, description } = this.#shown as ShownSlice;
    const { columns, rows } = pixels.layout;
    this.#picture ??= document.createElement('canvas');
    const picture = this.#picture;
    if (picture.width !== columns || picture.height !== rows) {
      [picture.width, picture.height] = [columns, rows];
      this.#isPictureStale = true;
    }
    if (this.#isPictureStale) {
      const context = picture.getContext('2d', { alpha: false, willReadFrequently: true });
      if (this.#words?.width !== columns || this.#words.height !== rows) {
        this.#words = new ImageData(columns, rows);
      }
      const image = this.#words;
      drawPixels(new Uint32Array(image.data.buffer), pixels, description, this.#voi, this.#isInverted);
      context?.putImageData(image, 0, 0);
      this.#isPictureStale = false;
    }
    return picture;
  }

  #plane() {
    const description = this.#shown?.description;
    const [rowSpacing, columnSpacing] = description?.spacingMm ?? [description?.pixelAspectRatio ?? 1, 1];
    const [a, b, c, d, e, f] = description?.orientation ?? [1, 0, 0, 0, 1, 0];
    const across: Vector = [a ?? 1, b ?? 0, c ?? 0];
    const down: Vector = [d ?? 0, e ?? 1, f ?? 0];
    const origin = [...(description?.position ?? [0, 0, 0])] as Vector;
    return { origin, across, down, normal: cross(across, down), rowSpacing, columnSpacing };
  }

  #toWorld([column, row]: ImagePoint): Vector {
    const { origin, across, down, rowSpacing, columnSpacing } = this.#plane();
    return origin.map(
      (start, i) =>
        start + (across[i] as number) * column * columnSpacing + (down[i] as number) * row * rowSpacing,
    ) as Vector;
  }

  #fromWorld(world: Types.Point3): ImagePoint {
    const { origin, across, down, rowSpacing, columnSpacing } = this.#plane();
    const from = world.map((value, i) => value - (origin[i] as number)) as Vector;
    return [dot(from, across) / columnSpacing, dot(from, down) / rowSpacing];
  }

  #imageData() {
    const shown = this.#shown;
    if (!shown) return undefined;
    const { origin, across, down, normal, rowSpacing, columnSpacing } = this.#plane();
    const { rows, columns } = shown.pixels.layout;
    const image = imageOf(shown.imageId, shown.pixels, shown.description);
    const dimensions = [columns, rows, 1];
    const spacing = [columnSpacing, rowSpacing, 1];
    const direction = [...across, ...down, ...normal];
    const scalarData = shown.pixels.values;
    return {
      dimensions,
      spacing,
      origin,
      direction,
      scalarData,
      metadata: { Modality: shown.description.modality, FrameOfReferenceUID: this.getFrameOfReferenceUID() },
      scaling: {},
      hasPixelSpacing: shown.description.spacingMm !== null,
      calibration: {},
      preScale: { ...image.preScale },
      voxelManager: image.voxelManager,
      imageData: {
        getDirection: () => direction,
        getDimensions: () => dimensions,
        getSpacing: () => spacing,
        getOrigin: () => origin,
        getScalarData: () => scalarData,
        worldToIndex: (world: Types.Point3) => [...this.#fromWorld(world), 0],
        indexToWorld: ([column = 0, row = 0]: number[], into?: number[]) => {
          const world = this.#toWorld([column, row]);
          return into ? Object.assign(into, world) : world;
        },
      },
    };
  }

  #camera(): Types.ICamera {
    const { normal } = this.#plane();
    const { width, height } = this.#cellSize();
    const middle = this.#toWorld(toImage(this.#matrix, width / 2, height / 2));
    const top = this.#toWorld(toImage(this.#matrix, width / 2, 0));
    const up = top.map((value, i) => value - (middle[i] as number)) as Vector;
    const half = Math.hypot(...up) || 1;
    return {
      parallelProjection: true,
      focalPoint: middle,
      position: middle.map((value, i) => value - (normal[i] as number)) as Vector,
      parallelScale: half,
      viewPlaneNormal: normal.map((value) => -value) as Vector,
      viewUp: up.map((value) => value / half) as Vector,
      rotation: this.#view?.rotation ?? 0,
      flipHorizontal: this.#view?.isFlippedHorizontally ?? false,
      flipVertical: this.#view?.isFlippedVertically ?? false,
    };
  }
}

function isMoved(a: CellView, b: CellView): boolean {
  return (
    a.zoom !== b.zoom ||
    a.pan !== b.pan ||
    a.rotation !== b.rotation ||
    a.isFlippedHorizontally !== b.isFlippedHorizontally ||
    a.isFlippedVertically !== b.isFlippedVertically
  );
}

function cross([a, b, c]: Vector, [d, e, f]: Vector): Vector {
  return [b * f - c * e, c * d - a * f, a * e - b * d];
}

function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}
