import { flushSync } from 'svelte';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { CellState, CellView, ImageCell, Viewer } from '$lib/viewer/types';
import { ViewerCell } from './viewerCell.svelte';
import { cellLink } from './viewerLink';

const api = vi.hoisted(() => ({
  readVolume: vi.fn(),
  readPatient: vi.fn(),
  readMetadata: vi.fn(),
  loadSlice: vi.fn(),
}));
vi.mock('$lib/api/volumes', () => ({ readVolume: api.readVolume }));
vi.mock('$lib/api/patient', () => ({ readPatient: api.readPatient }));
vi.mock('$lib/api/metadata', () => ({ readMetadata: api.readMetadata }));
vi.mock('./sliceView.svelte', () => ({ loadSlice: api.loadSlice }));

const detail = {
  series_instance_uid: '1.2',
  study_instance_uid: '1',
  modality: 'CT',
  slice_count: 11,
  middle: { stack: 0, index: 5, count: 11, sop_instance_uid: '1.2.6' },
  windows: [{ center: 128, width: 256, function: 'LINEAR_EXACT', explanation: 'WHOLE' }],
  stacks: [{ stack: 0, count: 11, rows: 64, columns: 64, pixel_aspect_ratio: 1, orientation_labels: null }],
};

type Address = { index: number | null; center: number | null; width: number | null };

beforeEach(() => {
  vi.clearAllMocks();
  vi.stubGlobal('URL', Object.assign(URL, { revokeObjectURL: vi.fn() }));
  api.readVolume.mockResolvedValue(detail);
  api.readPatient.mockResolvedValue({ name: 'Doe, Jane', other_names: [] });
  api.readMetadata.mockResolvedValue({ '00180015': { vr: 'CS', Value: ['HEAD'] } });
  api.loadSlice.mockImplementation((address: Address) =>
    Promise.resolve({
      address,
      url: 'blob:',
      size: { width: 64, height: 64 },
      index: address.index ?? 5,
      count: 11,
      stack: 0,
      positionMm: 0,
      sopInstanceUid: `1.2.${(address.index ?? 5) + 1}`,
      frameNumber: 1,
      window:
        address.center === null
          ? { center: 128, width: 256, source: 'file' }
          : { center: address.center, width: address.width, source: 'request' },
    }),
  );
});

const settle = async () => {
  for (let turn = 0; turn < 8; turn++) await Promise.resolve();
  flushSync();
};

async function open(more = {}): Promise<ViewerCell> {
  const cell = new ViewerCell();
  cell.size = { width: 640, height: 640 };
  cell.open(cellLink('1.2', more));
  await settle();
  return cell;
}

/** A drawing module that remembers what it was told. */
function engine() {
  let tell: (state: CellState) => void = () => {};
  const cell = {
    show: vi.fn().mockResolvedValue('shown'),
    update: vi.fn(),
    scrollTo: vi.fn(),
    clear: vi.fn(),
    destroy: vi.fn(),
  };
  const viewer = {
    createCell: (_element: unknown, handlers: { onchange: typeof tell }) => {
      tell = handlers.onchange;
      return cell as unknown as ImageCell;
    },
  } as unknown as Viewer;
  const view: CellView = {
    index: 5,
    window: null,
    isInverted: false,
    zoom: 1,
    pan: [0, 0],
    rotation: 0,
    isFlippedHorizontally: false,
    isFlippedVertically: false,
  };
  const state = (more: Partial<CellState>) =>
    ({
      phase: 'open',
      series: { seriesInstanceUid: '1.2', studyInstanceUid: '1', stack: null },
      view,
      count: 11,
      shownIndex: null,
      slice: null,
      isLoading: true,
      problem: null,
      tooLarge: null,
      scale: 10,
      mmPerCssPixel: null,
      ...more,
    }) as CellState;
  return { cell, viewer, tell: (more: Partial<CellState>) => tell(state(more)) };
}

describe('before anything can be drawn here', () => {
  test('the server chooses the slice, and its picture is shown', async () => {
    const cell = await open();
    expect(api.loadSlice.mock.calls[0]?.[0]).toMatchObject({ series: '1.2', index: null, center: null });
    expect(cell.facts).toMatchObject({ drawnBy: 'server', index: 5, count: 11, scale: 10 });
    expect(cell.index).toBe(5);
  });

  test('a link names slice and window, and the window goes by its name', async () => {
    const cell = await open({ slice: 3, window: { center: -600, width: 1500 } });
    expect(api.loadSlice.mock.calls[0]?.[0]).toMatchObject({ index: 2, center: -600, width: 1500 });
    expect(cell.view.window).toMatchObject({
      source: 'preset',
      explanation: 'lung',
      function: 'LINEAR_EXACT',
    });
  });

  test('scrolling asks the server, and stops at the ends', async () => {
    const cell = await open();
    cell.step(100);
    await settle();
    expect(cell.index).toBe(10);
    expect(cell.facts?.index).toBe(10);
    cell.step(1);
    expect(api.loadSlice).toHaveBeenCalledTimes(2);
  });

  test('what is shown comes back as the link that it came from', async () => {
    const link = cellLink('1.2', { slice: 3, zoom: 2, pan: [1, 2], rotation: 90, isInverted: true });
    const cell = new ViewerCell();
    cell.open(link);
    await settle();
    expect(cell.toLink()).toEqual(link);
  });

  test('a window without a width is not one', async () => {
    const cell = await open();
    cell.setWindow({ center: 40, width: 0 });
    cell.setWindow({ center: Number.NaN, width: 80 });
    expect(cell.view.window).toBeNull();
  });
});

describe('with a module that draws', () => {
  test('it is shown the same slice, and the picture stays until pixels are there', async () => {
    const cell = await open({ slice: 8 });
    const { viewer, cell: drawn, tell } = engine();
    cell.attach(viewer, {} as HTMLDivElement, {});
    expect(drawn.show.mock.calls[0]?.[1]).toMatchObject({ index: 7, zoom: 1 });
    tell({ phase: 'opening' });
    expect(cell.serverPicture).not.toBeNull();
    expect(cell.hasPixels).toBe(false);
    tell({ shownIndex: 7, slice: { index: 7, sopInstanceUid: '1.2.8' } as CellState['slice'] });
    expect(cell.serverPicture).toBeNull();
    expect(cell.facts).toMatchObject({ drawnBy: 'pixels', index: 7 });
  });

  test('keys pressed while it opens count from the slice that it opens at', async () => {
    const cell = await open();
    const { viewer, cell: drawn, tell } = engine();
    cell.attach(viewer, {} as HTMLDivElement, {});
    cell.step(1);
    tell({ phase: 'opening', count: 0 });
    cell.step(1);
    cell.step(1);
    await settle();
    expect(drawn.scrollTo.mock.calls).toEqual([[6], [7], [8]]);
    expect(cell.index).toBe(8);
    expect(cell.facts?.index, 'the picture that stands in follows').toBe(8);
  });

  test('leaving an element before the stack is known keeps the slice', async () => {
    const cell = await open({ slice: 8 });
    const { viewer, cell: drawn, tell } = engine();
    const leave = cell.attach(viewer, {} as HTMLDivElement, {});
    cell.step(1);
    tell({ phase: 'opening', count: 0, view: { ...cell.view, index: 0 } });
    leave();
    cell.attach(viewer, {} as HTMLDivElement, {});
    expect(drawn.show.mock.calls[1]?.[1]).toMatchObject({ index: 8 });
  });

  test('a slice that fails afterwards is not papered over with another picture', async () => {
    const cell = await open();
    const { viewer, tell } = engine();
    cell.attach(viewer, {} as HTMLDivElement, {});
    tell({ shownIndex: 5, slice: { index: 5, sopInstanceUid: '1.2.6' } as CellState['slice'] });
    tell({ shownIndex: null, problem: new Error('gone'), isLoading: false });
    expect(cell.serverPicture).toBeNull();
    expect(cell.facts).toBeNull();
    expect(cell.problem).toBeInstanceOf(Error);
  });

  test('what it says about another series is not listened to', async () => {
    const cell = await open();
    const { viewer, tell } = engine();
    cell.attach(viewer, {} as HTMLDivElement, {});
    tell({ series: { seriesInstanceUid: '9.9', studyInstanceUid: '9', stack: null }, count: 3 });
    expect(cell.state).toBeNull();
  });

  test('the server draws on where that is wanted, at the same slice', async () => {
    const cell = await open();
    const { viewer, cell: drawn, tell } = engine();
    cell.attach(viewer, {} as HTMLDivElement, {});
    tell({ phase: 'tooLarge', tooLarge: { bytes: 2e9, budget: 1e9 } });
    cell.useServer();
    expect(drawn.clear).toHaveBeenCalled();
    cell.step(1);
    await settle();
    expect(drawn.scrollTo).not.toHaveBeenCalled();
    expect(cell.facts).toMatchObject({ drawnBy: 'server', index: 6 });
  });
});
