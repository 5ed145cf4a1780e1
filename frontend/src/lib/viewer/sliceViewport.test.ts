// @vitest-environment jsdom
import { beforeEach, expect, test, vi } from 'vitest';
import { SliceViewport, type ShownSlice } from './sliceViewport';

vi.mock('@cornerstonejs/core', () => ({
  StackViewport: class {
    constructor(props: object) {
      Object.assign(this, props);
    }
    _setCSImage() {}
  },
  Enums: { ViewportType: { STACK: 'stack' }, Events: {} },
  triggerEvent: () => undefined,
}));
vi.mock('./cornerstoneImages', () => ({ imageOf: () => ({}) }));
vi.mock('./drawing', () => ({ drawPixels: () => undefined }));

const context = { setTransform: vi.fn(), fillRect: vi.fn(), drawImage: vi.fn(), putImageData: vi.fn() };
const view = {
  index: 0,
  window: null,
  isInverted: false,
  zoom: 1,
  pan: [0, 0] as const,
  rotation: 0,
  isFlippedHorizontally: false,
  isFlippedVertically: false,
};
const slice = {
  index: 0,
  imageId: 'slice:1',
  pixels: { layout: { rows: 4, columns: 4 } },
  description: { pixelAspectRatio: 1, spacingMm: null, modality: 'CT' },
} as unknown as ShownSlice;

let size = { width: 100, height: 100 };
let viewport: SliceViewport;

beforeEach(() => {
  vi.clearAllMocks();
  size = { width: 100, height: 100 };
  vi.stubGlobal(
    'ImageData',
    class {
      data = new Uint8ClampedArray(64);
    },
  );
  vi.spyOn(HTMLCanvasElement.prototype, 'getContext').mockReturnValue(context as never);
  const element = Object.defineProperties(document.createElement('div'), {
    clientWidth: { get: () => size.width },
    clientHeight: { get: () => size.height },
  });
  viewport = new SliceViewport({ element, canvas: document.createElement('canvas') } as never);
  viewport.showSlice(slice);
  viewport.setView(view, { kind: 'constant' });
});

test('a canvas that changes its size is drawn at once, since browsers empty it', () => {
  size = { width: 0, height: 0 };
  viewport.resize();
  size = { width: 300, height: 200 };
  context.drawImage.mockClear();
  viewport.resize();
  expect([viewport.canvas.width, viewport.canvas.height]).toEqual([300, 200]);
  expect(context.drawImage).toHaveBeenCalledOnce();
  expect(viewport.scale, 'fits the new size').toBe(50);
});

test('a canvas that keeps its size keeps its picture', () => {
  viewport.resize();
  expect(context.drawImage).not.toHaveBeenCalled();
});

test('a canvas whose memory the browser took away is drawn again', () => {
  viewport.canvas.dispatchEvent(new Event('contextrestored'));
  expect(context.drawImage).toHaveBeenCalledOnce();
});
