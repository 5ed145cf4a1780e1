/** One stack of slices with what is known of each: its list, the attributes of its files, its pixels. */
import { readSliceList, type ListedSlice, type SliceList } from '$lib/api/frames';
import { ProblemError } from '$lib/api/problem';
import { readSlice } from '$lib/api/slice';
import { StackAttributes } from './attributes';
import { backOffMs } from './backOff';
import { contentParameters, decodeFrame } from './decoding';
import type { FrameDescription } from './description';
import { FrameStore } from './frameStore';
import { estimateBytes, keptSlices } from './memory';
import type { Part } from './multipart';
import { layoutOf, toSlicePixels, UnsupportedPixels, type SlicePixels } from './pixels';
import { readServerPicture } from './serverPicture';
import type { SeriesChoice, TooLarge, WindowSetting } from './types';

export interface StackListener {
  onchange(index: number | null): void;
  onstale(): void;
  onsignedout(): void;
}

/** How often the list is read again after a file of it was missing; by then the index has long noticed. */
const MAX_LIST_CHECKS = 6;

/** Above the budget, and nobody said yet to keep only some slices. */
export class StackTooLarge extends Error implements TooLarge {
  override readonly name = 'StackTooLarge';

  constructor(
    readonly bytes: number,
    readonly budget: number,
  ) {
    super('The stack does not fit into the memory of the page.');
  }
}

export interface StackOptions {
  budget: number;
  isWindowed: boolean;
}

export function stackKey({ seriesInstanceUid, stack }: SeriesChoice): string {
  return `${seriesInstanceUid}/${stack ?? 'all'}`;
}

/** Cornerstone's name of a slice. */
export function imageIdOf(choice: SeriesChoice, slice: ListedSlice): string {
  return `slice:${stackKey(choice)}/${slice.sop_instance_uid}/${slice.frame_number}`;
}

export class Stack {
  readonly frames: FrameStore;
  readonly imageIds: string[];
  readonly isWindowed: boolean;
  readonly #listeners = new Set<StackListener>();
  readonly #controller = new AbortController();
  readonly #attributes: StackAttributes;
  #guess: Promise<WindowSetting | 'constant'> | null = null;
  #isChecked = false;
  readonly #tell = (call: (listener: StackListener) => void) => this.#listeners.forEach(call);

  private constructor(
    readonly choice: SeriesChoice,
    readonly list: SliceList,
    index: number,
    options: StackOptions,
  ) {
    this.isWindowed = options.isWindowed;
    this.#attributes = new StackAttributes(list, this.#controller.signal);
    this.imageIds = list.slices.map((slice) => imageIdOf(choice, slice));
    const tell = this.#tell;
    this.frames = new FrameStore(list, index, {
      kept: options.isWindowed ? keptSlices(list.frame_bytes, options.budget) : null,
      decode: (slice, part) => this.#decode(slice, part),
      onchange: (changed) => tell((listener) => listener.onchange(changed)),
      onstale: () => tell((listener) => listener.onstale()),
      onsignedout: () => tell((listener) => listener.onsignedout()),
    });
  }

  /** Reads the list of slices and begins to fetch them from `index` outwards. Throws StackTooLarge. */
  static async open(
    choice: SeriesChoice,
    index: number | null,
    options: StackOptions,
    signal: AbortSignal,
  ): Promise<Stack> {
    const list = await readSliceList(choice.seriesInstanceUid, choice.stack, signal);
    const bytes = estimateBytes(list.total_bytes, false);
    if (bytes > options.budget && !options.isWindowed) throw new StackTooLarge(bytes, options.budget);
    const { length } = list.slices;
    const first = Math.min(index ?? Math.floor(length / 2), length - 1);
    const stack = new Stack(choice, list, first, options);
    stack.#attributes.begin(first);
    stack.frames.start();
    return stack;
  }

  get count(): number {
    return this.list.slices.length;
  }

  listen(listener: StackListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What is known of a slice by now. */
  description(index: number): FrameDescription | undefined {
    return this.#attributes.get(index);
  }

  describe(index: number): Promise<FrameDescription> {
    return this.#attributes.describe(index);
  }

  /** The window that the server guesses for files without one; the same for all slices, so that they compare. */
  guessWindow(index: number): Promise<WindowSetting | 'constant'> {
    this.#guess ??= readSlice(this.#addressOf(index), this.#controller.signal).then(({ window }) =>
      window ? { ...window, function: 'LINEAR_EXACT', source: 'guessed', explanation: null } : 'constant',
    );
    this.#guess.catch(() => (this.#guess = null));
    return this.#guess;
  }

  /** Reads the list again. True, and listeners are told, where the files are others than listed. */
  async look(): Promise<boolean> {
    const { seriesInstanceUid, stack } = this.choice;
    const { signal } = this.#controller;
    const isSame = await readSliceList(seriesInstanceUid, stack, signal).then(
      ({ version }) => version === this.list.version,
      (error: unknown) => !(error instanceof ProblemError && error.status === 404),
    );
    if (signal.aborted || isSame) return false;
    this.#tell((listener) => listener.onstale());
    return true;
  }

  close(): void {
    this.#controller.abort();
    this.frames.clear();
    this.#listeners.clear();
  }

  #addressOf(index: number) {
    return { series: this.choice.seriesInstanceUid, stack: this.choice.stack, index };
  }

  async #decode(slice: ListedSlice, part: Part): Promise<SlicePixels> {
    if (part.headers.get('content-type')?.includes('json')) {
      const problem = readPartProblem(part);
      if (['file_gone', 'file_replaced'].includes(problem.code)) void this.#checkList();
      throw problem;
    }
    const description = await this.describe(slice.index);
    const parameters = contentParameters(part);
    const syntax = parameters.get('transfer-syntax') ?? '';
    try {
      if (isOnlyForServer(description)) throw new UnsupportedPixels('drawn by the server');
      const { stored, layout } = await decodeFrame(part.body, syntax, layoutOf(description, parameters));
      return toSlicePixels(stored, layout, description.transform);
    } catch (error) {
      if (!(error instanceof UnsupportedPixels)) throw error;
      return readServerPicture(this.#addressOf(slice.index), this.#controller.signal);
    }
  }

  /** Files go before the index notices: until the list says so, too, it names slices that are not there any more. */
  async #checkList(): Promise<void> {
    if (this.#isChecked) return;
    this.#isChecked = true;
    for (let checks = 0; checks < MAX_LIST_CHECKS; checks++) {
      await new Promise((later) => setTimeout(later, backOffMs(checks)));
      if (this.#controller.signal.aborted || (await this.look())) return;
    }
  }
}

/** What is beyond this module: colours in grey images, and padding that a table maps elsewhere. */
function isOnlyForServer(description: FrameDescription): boolean {
  const isGrey = description.photometricInterpretation.startsWith('MONOCHROME');
  return (
    isGrey &&
    (description.isPartlyColored || (description.transform.kind === 'table' && description.padding !== null))
  );
}

function readPartProblem(part: Part): ProblemError {
  let body: Record<string, unknown> = {};
  try {
    body = JSON.parse(new TextDecoder().decode(part.body)) as Record<string, unknown>;
  } catch {
    // A problem that cannot be read is still one.
  }
  const { status, code, title, detail, ...members } = body;
  return new ProblemError(
    Number(status ?? 422),
    String(code ?? 'undecodable_frame'),
    String(title ?? ''),
    String(detail ?? ''),
    null,
    null,
    members,
  );
}
