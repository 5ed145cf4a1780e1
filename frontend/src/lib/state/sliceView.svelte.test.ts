import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ProblemError } from '$lib/api/problem';
import { readSlice, type SliceAddress } from '$lib/api/slice';
import type { Middle, Stack, VolumeDetail } from '$lib/api/types';
import { readVolume } from '$lib/api/volumes';
import { SliceView } from './sliceView.svelte';

vi.mock('$lib/api/slice');
vi.mock('$lib/api/volumes');

const middle = (stack: number | null, index: number, count: number): Middle => ({
  stack,
  index,
  count,
  sop_instance_uid: '1.2',
  frame_number: 1,
  position_mm: 0,
});

const stack = (number: number, count: number): Stack => ({
  stack: number,
  count,
  rows: 64,
  columns: 64,
  row_spacing_mm: 1,
  column_spacing_mm: 1,
  slice_spacing_mm: 1,
  orientation_labels: null,
  pixel_aspect_ratio: 1,
  differs_by: null,
  middle: middle(number, Math.floor(count / 2), count),
});

const detail = {
  series_instance_uid: '1.2',
  middle: middle(0, 5, 11),
  stacks: [stack(0, 11), stack(1, 3)],
  windows: [] as unknown[],
};

function answer({ series, index, stack: number }: SliceAddress) {
  const count = number === 1 ? 3 : 11;
  return {
    picture: new Blob(),
    index: index ?? 5,
    count,
    seriesInstanceUid: series ?? '1.2',
    sopInstanceUid: null,
    frameNumber: 1,
    stack: number ?? 0,
    positionMm: null,
    overlays: 0,
    window: null,
  };
}

const revoked: string[] = [];

beforeEach(() => {
  let made = 0;
  revoked.length = 0;
  vi.stubGlobal('createImageBitmap', async () => ({ width: 64, height: 64, close: () => {} }));
  URL.createObjectURL = () => `blob:${made++}`;
  URL.revokeObjectURL = (url) => revoked.push(url);
  vi.mocked(readSlice).mockImplementation(async (address) => answer(address));
  vi.mocked(readVolume).mockResolvedValue(detail as unknown as VolumeDetail);
});

afterEach(() => vi.resetAllMocks());

describe('SliceView', () => {
  it('lets the server choose the middle', async () => {
    const view = new SliceView();
    await view.showMiddle('1.2');
    expect(vi.mocked(readSlice).mock.calls[0]?.[0]).toEqual({ series: '1.2' });
    expect([view.index, view.count]).toEqual([5, 11]);
  });

  it('steps, and stops at the ends', async () => {
    const view = new SliceView();
    await view.showMiddle('1.2');
    await view.step(1);
    expect(view.slice.value?.index).toBe(6);
    await view.step(100);
    expect(view.slice.value?.index).toBe(10);
    vi.mocked(readSlice).mockClear();
    await view.step(1);
    expect(readSlice).not.toHaveBeenCalled();
  });

  it('goes to a stack’s own middle and steps within it', async () => {
    const view = new SliceView();
    await view.showMiddle('1.2');
    await vi.waitFor(() => expect(view.detail.value).not.toBeNull());
    await view.showStack(stack(1, 3));
    expect([view.stack?.stack, view.index, view.count]).toEqual([1, 1, 3]);
    await view.step(5);
    expect(view.slice.value?.address).toMatchObject({ series: '1.2', stack: 1, index: 2 });
  });

  it('knows from the problem where a middle slice stands that cannot be shown', async () => {
    const members = { slice: { index: 5, count: 11 }, neighbours: [] };
    vi.mocked(readSlice).mockRejectedValueOnce(
      new ProblemError(422, 'undecodable_frame', '', '', null, null, members),
    );
    const view = new SliceView();
    await view.showMiddle('1.2');
    expect([view.slice.value, view.index, view.count]).toEqual([null, 5, 11]);
    await view.step(1);
    expect(view.slice.value?.index).toBe(6);
  });

  it('describes the series that the server chose, and stays with it', async () => {
    const view = new SliceView();
    await view.showMiddle(null);
    expect(vi.mocked(readSlice).mock.calls[0]?.[0]).toEqual({ series: null });
    await vi.waitFor(() => expect(view.detail.value).not.toBeNull());
    expect(vi.mocked(readVolume).mock.calls.map(([series]) => series)).toEqual(['1.2']);
    expect(view.slice.value?.address.series).toBe('1.2');
    await view.step(1);
    expect(vi.mocked(readSlice).mock.calls[1]?.[0]).toMatchObject({ series: '1.2', index: 6 });
    expect(readVolume).toHaveBeenCalledOnce();
  });

  it('describes the series of which the server chose a slice that cannot be shown', async () => {
    const members = { series_instance_uid: '1.2', slice: { index: 5, count: 11 }, neighbours: [] };
    vi.mocked(readSlice).mockRejectedValueOnce(
      new ProblemError(422, 'undecodable_frame', '', '', null, null, members),
    );
    const view = new SliceView();
    await view.showMiddle(null);
    await vi.waitFor(() => expect(view.stack?.stack).toBe(0));
    await view.step(-1);
    expect(view.slice.value?.address).toMatchObject({ series: '1.2', index: 4 });
  });

  it('learns as much from an answer that came at the second try', async () => {
    vi.mocked(readSlice).mockRejectedValueOnce(new Error('connection'));
    const view = new SliceView();
    await view.showMiddle(null);
    expect([view.count, view.detail.value]).toEqual([0, null]);
    await view.slice.retry();
    await vi.waitFor(() => expect(view.detail.value).not.toBeNull());
    expect(view.count).toBe(11);
  });

  it('keeps overlays on while it steps, until they are taken off', async () => {
    const view = new SliceView();
    await view.showMiddle('1.2');
    await view.drawOverlays(true);
    expect(view.slice.value?.address).toMatchObject({ series: '1.2', index: 5, overlays: true });
    await view.step(1);
    expect(view.slice.value?.address).toMatchObject({ index: 6, overlays: true });
    await view.drawOverlays(false);
    expect(view.slice.value?.address).toMatchObject({ index: 6, overlays: false });
  });

  it('gives the memory of pictures back', async () => {
    const view = new SliceView();
    await view.showMiddle('1.2');
    await view.step(1);
    expect(revoked).toEqual(['blob:0']);
    view.clear();
    expect(revoked).toEqual(['blob:0', 'blob:1']);
  });

  it('shows no picture that the browser cannot decode', async () => {
    vi.stubGlobal('createImageBitmap', () => Promise.reject(new Error()));
    const view = new SliceView();
    await view.showMiddle('1.2');
    expect(view.slice.error).toMatchObject({ kind: 'damaged-image' });
  });
});
