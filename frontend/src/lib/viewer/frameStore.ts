/** The frames of one stack in memory: fetched outwards from the wanted slice, a few requests at once. */
import { openFrames, type ListedSlice, type SliceList } from '$lib/api/frames';
import { ConnectionError, isNamed, ProblemError, SignedOutError } from '$lib/api/problem';
import { backOffMs } from './backOff';
import { MultipartParser, type Part } from './multipart';
import { chunkOf, chunksAround, chunkSize, windowAround, type Chunk } from './prefetch';
import type { SlicePixels } from './pixels';
import { SliceStatuses } from './sliceStatuses';
import type { StackProgress } from './types';

const MAX_REQUESTS = 3;
/** A connection over which nothing came for so long is given up and tried again. */
const STALL_MS = 20_000;
/** How often a server error, or an answer that broke off, is tried again. */
const MAX_TRIES = 5;

export interface FrameStoreOptions {
  /** Makes pixels of a part; may wait for the attributes of the file. */
  decode(slice: ListedSlice, part: Part): Promise<SlicePixels>;
  /** A slice arrived, failed or left; or the connection did. */
  onchange(index: number | null): void;
  /** Files of the stack are others than listed. */
  onstale(): void;
  /** The session is over. */
  onsignedout(): void;
  /** Slices to keep around the wanted one; null: all. */
  kept: number | null;
}

export class FrameStore {
  readonly list: SliceList;
  readonly #options: FrameStoreOptions;
  readonly #size: number;
  readonly #statuses: SliceStatuses;
  readonly #pixels = new Map<number, SlicePixels>();
  readonly #problems = new Map<number, unknown>();
  readonly #waiters = new Map<number, PromiseWithResolvers<SlicePixels>>();
  /** Requests under way, by their first slice. */
  readonly #running = new Map<number, { chunk: Chunk; controller: AbortController }>();
  readonly #tries = new Map<number, number>();
  /** Requests, by their first slice, whose answers told of problems: the browser may have kept those. */
  readonly #doubted = new Set<number>();
  #index: number;
  #bytes = 0;
  #failures = 0;
  #isOffline = false;
  #isStopped = true;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(list: SliceList, index: number, options: FrameStoreOptions) {
    this.list = list;
    this.#index = index;
    this.#options = options;
    this.#size = chunkSize(list.frame_bytes);
    const statuses = list.slices.map(({ refused }, i) => {
      if (!refused) return 'absent';
      this.#problems.set(i, new ProblemError(422, refused.code, '', refused.detail));
      return 'failed';
    });
    this.#statuses = new SliceStatuses(statuses);
  }

  get count(): number {
    return this.list.slices.length;
  }

  get progress(): StackProgress {
    return {
      count: this.count,
      loaded: this.#statuses.count('ready'),
      failed: this.#statuses.count('failed'),
      bytes: this.#bytes,
      totalBytes: this.list.total_bytes,
      statuses: this.#statuses.all,
      isOffline: this.#isOffline,
    };
  }

  /** Whether all slices are here or refused: of those that are to be kept, where not all are. */
  get isComplete(): boolean {
    const { first, end } = this.#kept();
    return !this.#statuses.has('absent', first, end) && !this.#statuses.has('loading', first, end);
  }

  get(index: number): SlicePixels | undefined {
    return this.#pixels.get(index);
  }

  problemOf(index: number): unknown {
    return this.#problems.get(index) ?? null;
  }

  /** The pixels of a slice, as soon as they are there. */
  whenReady(index: number): Promise<SlicePixels> {
    const found = this.#pixels.get(index);
    if (found) return Promise.resolve(found);
    if (this.#problems.has(index)) return Promise.reject(this.#problems.get(index));
    let waiter = this.#waiters.get(index);
    if (!waiter) {
      waiter = withResolvers<SlicePixels>();
      // Who asked may have left meanwhile.
      waiter.promise.catch(() => undefined);
      this.#waiters.set(index, waiter);
    }
    return waiter.promise;
  }

  /** Begins to fetch, or goes on with it. */
  start(): void {
    if (!this.#isStopped) return;
    this.#isStopped = false;
    if (typeof window !== 'undefined') window.addEventListener('online', this.#onOnline);
    this.#pump();
  }

  /** Gives up all requests; what is here stays. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (typeof window !== 'undefined') window.removeEventListener('online', this.#onOnline);
    for (const { controller } of this.#running.values()) controller.abort();
  }

  /** Stops, and forgets all pixels. */
  clear(): void {
    this.stop();
    const left = new DOMException('The stack was left', 'AbortError');
    for (const waiter of this.#waiters.values()) waiter.reject(left);
    this.#waiters.clear();
    this.#pixels.clear();
    this.#statuses.turn(0, this.count, 'ready', 'absent');
    this.#bytes = 0;
  }

  /** Says which slice is wanted next: its request goes first, in place of a farther one if need be. */
  want(index: number): void {
    this.#index = index;
    this.#evict();
    const { first } = chunkOf(index, this.#size, this.count);
    const isMissing = this.#statuses.get(index) === 'absent';
    if (isMissing && !this.#running.has(first) && this.#running.size >= MAX_REQUESTS) {
      const farthest = [...this.#running.values()].sort(
        (a, b) => Math.abs(b.chunk.first - index) - Math.abs(a.chunk.first - index),
      )[0];
      farthest?.controller.abort();
    }
    this.#pump();
  }

  /** Tries again what failed on the way; what the server refused stays refused. */
  retry(): void {
    this.#tries.clear();
    for (const [index] of [...this.#problems]) {
      if (this.list.slices[index]?.refused) continue;
      this.#problems.delete(index);
      this.#statuses.set(index, 'absent');
      this.#doubted.add(chunkOf(index, this.#size, this.count).first);
    }
    this.#failures = 0;
    this.#options.onchange(null);
    this.#pump();
  }

  readonly #onOnline = () => {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#pump();
  };

  #kept(): { first: number; end: number } {
    const { kept } = this.#options;
    return kept === null ? { first: 0, end: this.count } : windowAround(this.#index, this.count, kept);
  }

  #evict(): void {
    if (this.#options.kept === null) return;
    const { first, end } = this.#kept();
    for (const index of [...this.#pixels.keys()]) {
      if (index >= first && index < end) continue;
      this.#bytes -= this.#pixels.get(index)?.values.byteLength ?? 0;
      this.#pixels.delete(index);
      this.#statuses.set(index, 'absent');
    }
    for (const { chunk, controller } of this.#running.values()) {
      if (chunk.first >= end || chunk.first + chunk.count <= first) controller.abort();
    }
  }

  #pump(): void {
    if (this.#isStopped || this.#timer !== undefined || this.#statuses.count('absent') === 0) return;
    const { first, end } = this.#kept();
    const isMissing = (chunk: Chunk) => {
      const [from, to] = [Math.max(chunk.first, first), Math.min(chunk.first + chunk.count, end)];
      return this.#statuses.has('absent', from, to);
    };
    for (const chunk of chunksAround(this.#index, this.#size, this.count)) {
      if (this.#running.size >= MAX_REQUESTS) return;
      if (!this.#running.has(chunk.first) && isMissing(chunk)) void this.#fetch(chunk);
    }
  }

  async #fetch(chunk: Chunk): Promise<void> {
    const controller = new AbortController();
    this.#running.set(chunk.first, { chunk, controller });
    const end = chunk.first + chunk.count;
    this.#statuses.turn(chunk.first, end, 'absent', 'loading');
    try {
      await this.#read(chunk, controller);
      this.#failures = 0;
    } catch (error) {
      this.#explain(chunk, error, controller.signal.aborted);
    } finally {
      this.#running.delete(chunk.first);
      this.#statuses.turn(chunk.first, end, 'loading', 'absent');
      this.#options.onchange(null);
      this.#pump();
    }
  }

  async #read(chunk: Chunk, controller: AbortController): Promise<void> {
    const { series_instance_uid: series, stack, version } = this.list;
    const { signal } = controller;
    const isFresh = this.#doubted.has(chunk.first);
    const { body, boundary } = await openFrames({ series, stack, ...chunk, version, isFresh }, signal);
    const parser = new MultipartParser(boundary);
    const reader = body.getReader();
    const decoding: Promise<void>[] = [];
    let next = chunk.first;
    for (;;) {
      const { done, value } = await within(STALL_MS, reader.read(), () => controller.abort(STALLED));
      if (done) break;
      this.#setOffline(false);
      for (const part of parser.push(value)) decoding.push(this.#take(next++, part, isFresh));
    }
    await Promise.all(decoding);
    if (next < chunk.first + chunk.count) throw new ConnectionError('interrupted', '');
    if (isFresh) this.#doubted.delete(chunk.first);
  }

  async #take(index: number, part: Part, isFresh: boolean): Promise<void> {
    const slice = this.list.slices[index];
    const { first, end } = this.#kept();
    if (!slice || this.#statuses.get(index) !== 'loading' || index < first || index >= end) return;
    try {
      const pixels = await this.#options.decode(slice, part);
      if (this.#statuses.get(index) !== 'loading') return;
      this.#pixels.set(index, pixels);
      this.#statuses.set(index, 'ready');
      this.#bytes += pixels.values.byteLength;
      this.#waiters.get(index)?.resolve(pixels);
      this.#waiters.delete(index);
    } catch (error) {
      if (isNamed(error, 'AbortError')) return;
      // Without its attributes a slice is tried again with the others.
      if (error instanceof ConnectionError || error instanceof SignedOutError || isStale(error)) throw error;
      if (isFresh || !isPassing(error)) this.#fail(index, error);
      else {
        // It may be over: the answer may have been kept by the browser.
        this.#doubted.add(chunkOf(index, this.#size, this.count).first);
        this.#statuses.set(index, 'absent');
      }
    }
    this.#options.onchange(index);
  }

  #fail(index: number, problem: unknown): void {
    this.#problems.set(index, problem);
    this.#statuses.set(index, 'failed');
    this.#waiters.get(index)?.reject(problem);
    this.#waiters.delete(index);
  }

  #explain(chunk: Chunk, error: unknown, isAborted: boolean): void {
    if (this.#isStopped || (isAborted && error !== STALLED && !(error instanceof ConnectionError))) return;
    if (error instanceof SignedOutError) {
      this.stop();
      return this.#options.onsignedout();
    }
    if (error instanceof ProblemError) {
      if (isStale(error)) {
        this.stop();
        return this.#options.onstale();
      }
      if (error.status < 500 && error.status !== 429) return this.#failAll(chunk, error);
    }
    const isConnection = error instanceof ConnectionError && error.kind !== 'interrupted';
    if (isConnection) this.#setOffline(true);
    else if (this.#isTriedOut(chunk)) return this.#failAll(chunk, error);
    this.#pause(error instanceof ProblemError ? error.retryAfter : null);
  }

  #isTriedOut(chunk: Chunk): boolean {
    const tries = (this.#tries.get(chunk.first) ?? 0) + 1;
    this.#tries.set(chunk.first, tries);
    return tries >= MAX_TRIES;
  }

  #failAll({ first, count }: Chunk, problem: unknown): void {
    for (let index = first; index < first + count; index++) {
      if (this.#statuses.get(index) !== 'loading') continue;
      this.#fail(index, problem);
      this.#options.onchange(index);
    }
  }

  #pause(retryAfter: number | null): void {
    if (this.#timer !== undefined) return;
    const delay = retryAfter === null ? backOffMs(this.#failures++) : retryAfter * 1000;
    this.#timer = setTimeout(this.#onOnline, delay);
  }

  #setOffline(isOffline: boolean): void {
    if (this.#isOffline === isOffline) return;
    this.#isOffline = isOffline;
    this.#options.onchange(null);
  }
}

/** A list of what is gone is as stale as one of what changed: reading it again tells which of the two it is. */
const isStale = (error: unknown) =>
  error instanceof ProblemError && ['volume_changed', 'series_not_found'].includes(error.code);

/** Such as a file that was away for a moment. */
const isPassing = (error: unknown) =>
  error instanceof ProblemError && (error.status >= 500 || error.status === 410);

const STALLED = new ConnectionError('timeout', '');

function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve: PromiseWithResolvers<T>['resolve'] = () => undefined;
  let reject: PromiseWithResolvers<T>['reject'] = () => undefined;
  const promise = new Promise<T>((yes, no) => ([resolve, reject] = [yes, no]));
  return { promise, resolve, reject };
}

async function within<T>(ms: number, promise: Promise<T>, onlate: () => void): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      onlate();
      reject(STALLED);
    }, ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
