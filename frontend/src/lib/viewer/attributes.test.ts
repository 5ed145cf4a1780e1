import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { DicomDataset, SliceList } from '$lib/api/frames';
import { ProblemError } from '$lib/api/problem';
import { RUN, StackAttributes } from './attributes';

const api = vi.hoisted(() => ({ readMetadata: vi.fn(), readSliceMetadata: vi.fn(), readBulkData: vi.fn() }));
vi.mock('$lib/api/frames', () => api);

const dataset = (sop: string): DicomDataset => ({
  '00080018': { vr: 'UI', Value: [sop] },
  '00280010': { vr: 'US', Value: [8] },
  '00280011': { vr: 'US', Value: [8] },
});

/** A stack whose slice k is frame `frames(k)` of the file `files(k)`. */
function listOf(
  count: number,
  files = (k: number) => `1.${k}`,
  frames: (k: number) => number = () => 1,
): SliceList {
  const slices = Array.from({ length: count }, (_, index) => ({
    index,
    sop_instance_uid: files(index),
    frame_number: frames(index),
    position_mm: null,
    refused: null,
  }));
  const uids = { series_instance_uid: 'S', study_instance_uid: 'E' };
  return { ...uids, stack: 0, version: 'v', frame_bytes: 128, total_bytes: 128 * count, slices };
}

const attributesOf = (list: SliceList) => new StackAttributes(list, new AbortController().signal);

beforeEach(() => {
  vi.clearAllMocks();
  api.readMetadata.mockImplementation((_study, _series, sop: string) => Promise.resolve([dataset(sop)]));
  api.readSliceMetadata.mockImplementation(({ first, count }: { first: number; count: number }) =>
    Promise.resolve(Array.from({ length: count }, (_, i) => dataset(`1.${first + i}`))),
  );
});

describe('attributes of a long series', () => {
  test('those of the slice that opens are asked for alone', async () => {
    const attributes = attributesOf(listOf(3000));
    attributes.begin(1500);
    expect((await attributes.describe(1500)).sopInstanceUid).toBe('1.1500');
    expect(api.readMetadata).toHaveBeenCalledExactlyOnceWith('E', 'S', '1.1500', expect.anything());
    expect(api.readSliceMetadata).not.toHaveBeenCalled();
  });

  test('its neighbours come together, however often they are asked for', async () => {
    const attributes = attributesOf(listOf(3000));
    const found = await Promise.all([1500, 1501, 1502].map((index) => attributes.describe(index)));
    expect(found.map(({ sopInstanceUid }) => sopInstanceUid)).toEqual(['1.1500', '1.1501', '1.1502']);
    expect(api.readSliceMetadata).toHaveBeenCalledOnce();
    const [range] = api.readSliceMetadata.mock.calls[0] as [{ first: number; count: number }];
    expect(range).toMatchObject({ series: 'S', stack: 0, version: 'v', count: RUN });
    expect(range.first).toBeLessThanOrEqual(1500);
    expect(range.first + range.count).toBeGreaterThan(1502);
  });

  test('the last run ends with the stack', async () => {
    const attributes = attributesOf(listOf(RUN + 3));
    await attributes.describe(RUN + 1);
    expect(api.readSliceMetadata.mock.calls[0]?.[0]).toMatchObject({ first: RUN, count: 3 });
  });
});

test('a file of many frames is asked about once', async () => {
  const attributes = attributesOf(
    listOf(
      500,
      () => '1.7',
      (k) => k + 1,
    ),
  );
  attributes.begin(250);
  const found = await Promise.all([0, 250, 499].map((index) => attributes.describe(index)));
  expect(found.map(({ frameNumber }) => frameNumber)).toEqual([1, 251, 500]);
  expect(api.readMetadata).toHaveBeenCalledOnce();
  expect(api.readSliceMetadata).not.toHaveBeenCalled();
});

test('what failed is asked for again', async () => {
  const attributes = attributesOf(listOf(10));
  api.readSliceMetadata.mockRejectedValueOnce(new ProblemError(503, 'busy', '', ''));
  await expect(attributes.describe(3)).rejects.toMatchObject({ code: 'busy' });
  expect((await attributes.describe(3)).sopInstanceUid).toBe('1.3');
});

test('a file that nothing is told of does not take its neighbours along', async () => {
  const attributes = attributesOf(listOf(3));
  api.readSliceMetadata.mockResolvedValueOnce([dataset('1.0'), dataset('1.2')]);
  const found = await Promise.allSettled([0, 1, 2].map((index) => attributes.describe(index)));
  expect(found.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
});
