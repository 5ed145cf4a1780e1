import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as api from '$lib/api/frames';
import { ConnectionError, ProblemError } from '$lib/api/problem';
import { FrameStore, type FrameStoreOptions } from './frameStore';
import type { SlicePixels } from './pixels';

/** Frames of 512 x 512 words: eight in a request. */
const listOf = (count: number): api.SliceList => ({
  series_instance_uid: '1',
  study_instance_uid: '2',
  stack: 0,
  version: 'v',
  frame_bytes: 524_288,
  total_bytes: count * 524_288,
  slices: Array.from({ length: count }, (_, index) => ({
    index,
    sop_instance_uid: String(index),
    frame_number: 1,
    position_mm: index,
    refused: null,
  })),
});

interface Asked {
  first: number;
  count: number;
  isFresh: boolean | undefined;
  signal: AbortSignal;
  answer(parts?: number): void;
  fail(error: unknown): void;
}

let asked: Asked[] = [];

function multipart(count: number): ReadableStream<Uint8Array> {
  const part = '--b\r\nContent-Length: 1\r\n\r\nx\r\n';
  const bytes = new TextEncoder().encode(`${part.repeat(count)}--b--\r\n`);
  return new ReadableStream({
    start(controller) {
      controller.enqueue(bytes);
      controller.close();
    },
  });
}

function makeStore(count: number, index: number, options: Partial<FrameStoreOptions> = {}): FrameStore {
  return new FrameStore(listOf(count), index, {
    decode: async ({ index: value }) => ({ values: Uint8Array.of(value) }) as unknown as SlicePixels,
    onchange: () => undefined,
    onstale: () => undefined,
    onsignedout: () => undefined,
    kept: null,
    ...options,
  });
}

const settle = async () => {
  for (let i = 0; i < 50; i++) await Promise.resolve();
};

beforeEach(() => {
  asked = [];
  vi.useFakeTimers();
  vi.spyOn(api, 'openFrames').mockImplementation(
    ({ first, count, isFresh }, signal = new AbortController().signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(new DOMException('', 'AbortError')));
        const answer = (parts = count) => resolve({ body: multipart(parts), boundary: 'b' });
        asked.push({ first, count, isFresh, signal, answer, fail: reject });
      }),
  );
});

afterEach(() => vi.useRealTimers());

const firsts = () => asked.map(({ first }) => first);

describe('FrameStore', () => {
  it('asks outwards from the wanted slice, three requests at once', async () => {
    const store = makeStore(44, 17);
    store.start();
    expect(firsts()).toEqual([16, 8, 24]);
    asked[0]?.answer();
    await vi.advanceTimersByTimeAsync(1);
    expect(store.get(17)?.values).toEqual(Uint8Array.of(17));
    expect(firsts()).toEqual([16, 8, 24, 0]);
    expect(store.progress).toMatchObject({ loaded: 8, count: 44 });
  });

  it('puts a jump first, in place of the farthest request', async () => {
    const store = makeStore(80, 0);
    store.start();
    expect(firsts()).toEqual([0, 8, 16]);
    store.want(75);
    await settle();
    expect(asked[0]?.signal.aborted).toBe(true);
    expect(firsts()[3]).toBe(72);
  });

  it('goes on by itself after the line was lost', async () => {
    const store = makeStore(8, 0);
    store.start();
    asked[0]?.fail(new ConnectionError('offline', ''));
    await settle();
    expect(store.progress.isOffline).toBe(true);
    await vi.advanceTimersByTimeAsync(600);
    asked[1]?.answer();
    await vi.advanceTimersByTimeAsync(1);
    expect(store.progress).toMatchObject({ loaded: 8, isOffline: false });
  });

  it('asks again for what an answer left out, and keeps what it brought', async () => {
    const store = makeStore(8, 0);
    store.start();
    asked[0]?.answer(3);
    await vi.advanceTimersByTimeAsync(600);
    expect(store.progress.loaded).toBe(3);
    expect(asked[1]).toMatchObject({ first: 0, count: 8 });
  });

  it('says what was refused, and tries nothing twice by itself', async () => {
    const store = makeStore(8, 0);
    store.start();
    const problem = new ProblemError(404, 'slice_not_found', '', '');
    asked[0]?.fail(problem);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(store.problemOf(3)).toBe(problem);
    expect(store.progress.failed).toBe(8);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ isFresh: false });
    store.retry();
    expect(asked).toHaveLength(2);
    // The browser may have kept the answer that told of the problem.
    expect(asked[1]).toMatchObject({ isFresh: true });
  });

  it('gives up on a server that only fails', async () => {
    const store = makeStore(8, 0);
    store.start();
    for (let i = 0; i < 5; i++) {
      asked[i]?.fail(new ProblemError(500, 'internal', '', ''));
      await vi.advanceTimersByTimeAsync(10_000);
    }
    expect(asked).toHaveLength(5);
    expect(store.progress.failed).toBe(8);
  });

  it.each([
    [409, 'volume_changed'],
    [404, 'series_not_found'],
  ])('tells when the files are others than listed: %s %s', async (status, code) => {
    const onstale = vi.fn();
    const store = makeStore(8, 0, { onstale });
    store.start();
    asked[0]?.fail(new ProblemError(status, code, '', ''));
    await settle();
    expect(onstale).toHaveBeenCalledOnce();
  });

  it('keeps one bad slice from taking the others along', async () => {
    const problem = new ProblemError(422, 'undecodable_frame', '', '');
    const decode = async ({ index }: api.ListedSlice) => {
      if (index === 2) throw problem;
      return { values: new Uint8Array(1) } as unknown as SlicePixels;
    };
    const store = makeStore(8, 0, { decode });
    store.start();
    asked[0]?.answer();
    await vi.advanceTimersByTimeAsync(1);
    expect(store.progress).toMatchObject({ loaded: 7, failed: 1 });
    expect(store.problemOf(2)).toBe(problem);
    await expect(store.whenReady(2)).rejects.toBe(problem);
    expect(store.isComplete).toBe(true);
  });

  it('keeps only slices near the wanted one where not all fit', async () => {
    const store = makeStore(3000, 1500, { kept: 10 });
    store.start();
    expect(firsts()).toEqual([1496, 1504, 1488]);
    for (const request of asked) request.answer();
    await vi.advanceTimersByTimeAsync(1);
    expect(store.progress.loaded).toBe(10);
    expect(store.isComplete).toBe(true);
    store.want(0);
    expect(store.isComplete).toBe(false);
    expect(store.get(1500)).toBeUndefined();
    expect(firsts().slice(3)).toEqual([0, 8]);
  });

  it('opens the list again where the attributes of a slice are of another version', async () => {
    const onstale = vi.fn();
    const decode = () => Promise.reject(new ProblemError(409, 'volume_changed', '', ''));
    makeStore(8, 0, { decode, onstale }).start();
    asked[0]?.answer();
    await vi.advanceTimersByTimeAsync(1);
    expect(onstale).toHaveBeenCalledOnce();
  });

  it('gives up everything when the stack is left', async () => {
    const store = makeStore(8, 0);
    store.start();
    const waiting = store.whenReady(0);
    store.clear();
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    expect(asked[0]?.signal.aborted).toBe(true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(asked).toHaveLength(1);
  });

  it('asks once more, past what the browser keeps, for a frame whose file was away', async () => {
    const gone = new ProblemError(410, 'file_gone', '', '');
    let isAway = true;
    const store = makeStore(8, 3, {
      decode: async ({ index }) => {
        if (index === 5 && isAway) throw gone;
        return { values: Uint8Array.of(index) } as unknown as SlicePixels;
      },
    });
    store.start();
    asked[0]?.answer();
    await settle();
    expect(asked.map(({ isFresh }) => isFresh)).toEqual([false, true]);
    asked[1]?.answer();
    await settle();
    expect(store.problemOf(5), 'still away').toBe(gone);
    isAway = false;
    store.retry();
    asked[2]?.answer();
    await settle();
    expect(store.get(5)).toBeDefined();
    expect(asked).toHaveLength(3);
  });
});
