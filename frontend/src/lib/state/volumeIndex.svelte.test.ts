// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ConnectionError } from '$lib/api/problem';
import type { IndexStatus, VolumeList } from '$lib/api/types';
import { readOverview } from '$lib/api/volumes';
import { attention } from './attention';
import { VolumeIndex } from './volumeIndex.svelte';

vi.mock('$lib/api/volumes');

const list = (state: IndexStatus['state'], total = 0): VolumeList => ({
  volumes: [],
  total,
  index: { state, seen: 10, indexed: 5, refused: 0, pending: 5, remaining_seconds: null },
});

let stop = () => {};

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  stop();
  vi.useRealTimers();
  vi.resetAllMocks();
});

describe('VolumeIndex', () => {
  it('asks each second while the server works, else every 15 s, with the ETag', async () => {
    vi.mocked(readOverview).mockResolvedValueOnce({ list: list('building'), etag: '"a"' });
    vi.mocked(readOverview).mockResolvedValue({ list: list('ready', 3), etag: '"b"' });
    const index = new VolumeIndex();
    stop = index.follow();
    await vi.advanceTimersByTimeAsync(0);
    expect(index.status?.state).toBe('building');
    await vi.advanceTimersByTimeAsync(1000);
    expect(index.total).toBe(3);
    expect(vi.mocked(readOverview).mock.calls.map(([etag]) => etag)).toEqual([null, '"a"']);
    await vi.advanceTimersByTimeAsync(14_000);
    expect(readOverview).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(1000);
    expect(readOverview).toHaveBeenCalledTimes(3);
  });

  it('keeps what it knows when nothing changed', async () => {
    vi.mocked(readOverview).mockResolvedValueOnce({ list: list('ready', 3), etag: '"a"' });
    vi.mocked(readOverview).mockResolvedValue(null);
    const index = new VolumeIndex();
    stop = index.follow();
    await vi.advanceTimersByTimeAsync(16_000);
    expect(index.total).toBe(3);
  });

  it('keeps it also when the server is silent, says since when, and goes on asking', async () => {
    vi.mocked(readOverview).mockResolvedValueOnce({ list: list('ready', 3), etag: '"a"' });
    vi.mocked(readOverview).mockRejectedValueOnce(new ConnectionError('unreachable', 'http://a'));
    vi.mocked(readOverview).mockResolvedValue(null);
    const index = new VolumeIndex();
    stop = index.follow();
    await vi.advanceTimersByTimeAsync(0);
    const answered = Date.now();
    await vi.advanceTimersByTimeAsync(15_000);
    expect(index.total).toBe(3);
    expect(index.lostContact).toBe(answered);
    await vi.advanceTimersByTimeAsync(15_000);
    expect(index.error).toBeNull();
    expect(index.lostContact).toBeNull();
  });

  it('stops asking while nobody is there, so that the session can end', async () => {
    vi.mocked(readOverview).mockResolvedValue({ list: list('ready'), etag: '"a"' });
    const index = new VolumeIndex();
    stop = index.follow();
    await vi.advanceTimersByTimeAsync(0);
    const quiet = vi.spyOn(attention, 'quietFor', 'get').mockReturnValue(6 * 60_000);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(readOverview).toHaveBeenCalledTimes(1);
    quiet.mockReturnValue(0);
    await vi.advanceTimersByTimeAsync(15_000);
    expect(readOverview).toHaveBeenCalledTimes(2);
  });
});
