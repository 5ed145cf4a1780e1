// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as api from '$lib/api/connection';
import { ConnectionError } from '$lib/api/problem';
import { Connection } from './connection.svelte';

vi.mock('$lib/api/connection');

const unreachable = new ConnectionError('unreachable', 'http://a');
let connection: Connection;
let stop: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  vi.mocked(api.isServerThere).mockReset().mockResolvedValue(false);
  connection = new Connection();
  stop = connection.follow();
});

afterEach(() => {
  stop();
  vi.useRealTimers();
});

describe('Connection', () => {
  it('is lost from the first request on that nobody answers', () => {
    expect(connection.lostAt).toBeNull();
    connection.failed(unreachable);
    const first = connection.lostAt;
    vi.advanceTimersByTime(5000);
    connection.failed(unreachable);
    expect(connection.lostAt).toBe(first);
  });

  it.each(['refused-origin', 'interrupted', 'timeout'] as const)('is not lost by one answer: %s', (kind) => {
    connection.failed(new ConnectionError(kind, 'http://a'));
    expect(connection.lostAt).toBeNull();
  });

  it('is lost when the browser says so, before anything is asked', () => {
    dispatchEvent(new Event('offline'));
    expect(connection.lostAt).not.toBeNull();
  });

  it('asks by itself until somebody answers, and tells who waits', async () => {
    const back = vi.fn();
    const forget = connection.onReturn(back);
    connection.failed(unreachable);
    await vi.advanceTimersByTimeAsync(3500);
    expect(api.isServerThere).toHaveBeenCalledTimes(3);
    expect(back).not.toHaveBeenCalled();
    vi.mocked(api.isServerThere).mockResolvedValue(true);
    await vi.advanceTimersByTimeAsync(1000);
    expect(back).toHaveBeenCalledOnce();
    expect(connection.lostAt).toBeNull();

    forget();
    connection.failed(unreachable);
    connection.answered();
    expect(back).toHaveBeenCalledOnce();
  });

  it('asks less often after a minute, and at once when the network is back', async () => {
    connection.failed(unreachable);
    await vi.advanceTimersByTimeAsync(60_000);
    vi.mocked(api.isServerThere).mockClear();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(vi.mocked(api.isServerThere).mock.calls.length).toBeLessThanOrEqual(4);
    vi.mocked(api.isServerThere).mockResolvedValue(true);
    dispatchEvent(new Event('online'));
    await vi.advanceTimersByTimeAsync(0);
    expect(connection.lostAt).toBeNull();
  });
});
