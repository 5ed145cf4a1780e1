// @vitest-environment jsdom
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { Cell } from './cell';
import type { Engine } from './engine';
import type { Stack } from './stack';

const { viewport, stacks } = vi.hoisted(() => ({
  viewport: {
    shown: null,
    fitScale: 1,
    scale: 1,
    setImages: () => undefined,
    setView: () => undefined,
    showSlice: () => undefined,
    clearPixels: () => undefined,
    resize: () => undefined,
    render: () => undefined,
  },
  stacks: { acquireStack: vi.fn(), releaseStack: vi.fn() },
}));
vi.mock('./sliceViewport', () => ({ enableSliceViewport: () => viewport }));
vi.mock('./registry', () => stacks);
vi.mock('./gestures', () => ({ watchGestures: () => () => undefined }));
vi.mock('./cornerstoneImages', () => ({}));

const SERIES = { seriesInstanceUid: '1.2', studyInstanceUid: '1', stack: null };

const frames = {
  progress: null,
  isComplete: false,
  want: vi.fn(),
  get: () => undefined,
  problemOf: () => null,
};
let stale: () => void = () => undefined;
/** A stack of slices that are called by letters. */
const stackOf = (count: number, names = [...'abcdefghijk'].slice(0, count)) =>
  ({
    count,
    imageIds: [],
    frames,
    list: { slices: names.map((name) => ({ sop_instance_uid: name, frame_number: 1 })) },
    listen: ({ onstale }: { onstale: () => void }) => {
      stale = onstale;
      return () => undefined;
    },
    description: () => undefined,
  }) as unknown as Stack;

/** A cell that is asked for a stack; `arrive` is the answer. */
function opening(view: { index?: number }) {
  let arrive: (stack: Stack) => void = () => undefined;
  stacks.acquireStack.mockReturnValue(new Promise<Stack>((resolve) => (arrive = resolve)));
  const engine = { cornerstone: { disableElement: () => undefined }, budget: 1 };
  const cell = new Cell(engine as unknown as Engine, document.createElement('div'), {});
  const shown = cell.show(SERIES, view);
  return { cell, arrive: (count: number) => (arrive(stackOf(count)), shown) };
}

beforeEach(() => {
  vi.clearAllMocks();
  vi.stubGlobal(
    'ResizeObserver',
    class {
      observe() {}
      disconnect() {}
    },
  );
});

describe('while a stack opens', () => {
  test('scrolling counts from the slice that is wanted', async () => {
    const { cell, arrive } = opening({ index: 5 });
    cell.scrollBy(1);
    cell.scrollBy(1);
    expect(await arrive(11)).toBe('shown');
    expect(cell.view.index).toBe(7);
    expect(frames.want).toHaveBeenLastCalledWith(7);
  });

  test('another change leaves the slice', async () => {
    const { cell, arrive } = opening({ index: 5 });
    cell.update({ isInverted: true });
    expect(cell.view.index).toBe(5);
    await arrive(11);
    expect(cell.view).toMatchObject({ index: 5, isInverted: true });
  });

  test('a slice beyond the end becomes the last one', async () => {
    const { cell, arrive } = opening({ index: 5 });
    cell.scrollTo(70);
    await arrive(11);
    expect(cell.view.index).toBe(10);
  });

  test('the wheel turned beyond the end changes nothing', async () => {
    const { cell, arrive } = opening({ index: 9 });
    await arrive(11);
    cell.scrollBy(5);
    expect(cell.view.index).toBe(10);
    const before = cell.view;
    cell.scrollBy(1);
    expect(cell.view).toBe(before);
  });

  test('without a wanted slice it opens in the middle', async () => {
    const { cell, arrive } = opening({});
    cell.scrollBy(1);
    await arrive(11);
    expect(cell.view.index).toBe(5);
  });
});

describe('when files change while a series is open', () => {
  const change = async (cell: Cell, names: string) => {
    stacks.acquireStack.mockResolvedValue(stackOf(names.length, [...names]));
    stale();
    await vi.waitFor(() => expect(cell.state.phase).toBe('open'));
  };

  test('the slice that is looked at stays, whatever its number becomes', async () => {
    const { cell, arrive } = opening({ index: 4 });
    await arrive(7);
    await change(cell, 'abdefg');
    expect(cell.view.index).toBe(3);
    expect(cell.state).toMatchObject({ count: 6, countBefore: 7 });
    await change(cell, 'abcdefg');
    expect(cell.view.index).toBe(4);
    expect(cell.state).toMatchObject({ count: 7, countBefore: 7 });
  });

  test('one that is gone leaves its place to the next', async () => {
    const { cell, arrive } = opening({ index: 6 });
    await arrive(7);
    await change(cell, 'abcdef');
    expect(cell.view.index).toBe(5);
  });

  test('who scrolls on meanwhile comes to where that leads', async () => {
    const { cell, arrive } = opening({ index: 4 });
    await arrive(7);
    stacks.acquireStack.mockResolvedValue(stackOf(6, [...'abdefg']));
    stale();
    cell.scrollTo(0);
    await vi.waitFor(() => expect(cell.state.phase).toBe('open'));
    expect(cell.view.index).toBe(0);
  });
});
