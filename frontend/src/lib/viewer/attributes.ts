/**
 * What the files of a stack say of themselves: asked for in runs around the slice that is wanted, so that the first
 * picture comes as soon in a series of thousands of slices as in one of ten.
 */
import {
  readBulkData,
  readMetadata,
  readSliceMetadata,
  type DicomDataset,
  type SliceList,
} from '$lib/api/frames';
import { ConnectionError, ProblemError } from '$lib/api/problem';
import { backOffMs } from './backOff';
import { describeFrame, type FrameDescription } from './description';
import { tablesToFetch } from './lookupTable';

/** Slices whose files are asked about at once. */
export const RUN = 64;
const SOP_INSTANCE_UID = '00080018';

export class StackAttributes {
  readonly #list: SliceList;
  readonly #signal: AbortSignal;
  readonly #descriptions = new Map<number, FrameDescription>();
  /** By SOP Instance UID; of files of one slice only until it is described. */
  readonly #datasets = new Map<string, Promise<DicomDataset>>();
  /** How many slices of the stack each file has. */
  readonly #frames = new Map<string, number>();

  constructor(list: SliceList, signal: AbortSignal) {
    this.#list = list;
    this.#signal = signal;
    for (const { sop_instance_uid: sop } of list.slices) {
      this.#frames.set(sop, (this.#frames.get(sop) ?? 0) + 1);
    }
  }

  /** What is known of a slice by now. */
  get(index: number): FrameDescription | undefined {
    return this.#descriptions.get(index);
  }

  /** Begins with one slice alone: its attributes are there before those of a run. */
  begin(index: number): void {
    const sop = this.#list.slices[index]?.sop_instance_uid;
    if (sop) void this.#readOne(sop).catch(() => undefined);
  }

  async describe(index: number): Promise<FrameDescription> {
    const known = this.#descriptions.get(index);
    if (known) return known;
    const slice = this.#list.slices[index];
    if (!slice) throw new RangeError(`no slice ${index}`);
    const { sop_instance_uid: sop, frame_number } = slice;
    if (!this.#datasets.has(sop)) this.#readRun(index);
    const description = describeFrame(await (this.#datasets.get(sop) as Promise<DicomDataset>), frame_number);
    this.#descriptions.set(index, description);
    if (this.#frames.get(sop) === 1) this.#datasets.delete(sop);
    return description;
  }

  #readRun(index: number): void {
    const first = index - (index % RUN);
    const slices = this.#list.slices.slice(first, first + RUN);
    const isUnknown = ({ index, sop_instance_uid: sop }: (typeof slices)[number]) =>
      !this.#datasets.has(sop) && !this.#descriptions.has(index);
    const unknown = new Set(slices.filter(isUnknown).map((slice) => slice.sop_instance_uid));
    const [only] = unknown;
    if (unknown.size === 1 && only) return void this.#readOne(only).catch(() => undefined);
    const { series_instance_uid: series, stack, version } = this.#list;
    const range = { series, stack, first, count: slices.length, version };
    const run = this.#read(() => readSliceMetadata(range, this.#signal), null).then(
      (datasets) =>
        new Map(datasets.map((dataset) => [String(dataset[SOP_INSTANCE_UID]?.Value?.[0]), dataset])),
    );
    for (const sop of unknown)
      this.#keep(
        sop,
        run.then((found) => found.get(sop) ?? Promise.reject(missing())),
      );
  }

  #readOne(sop: string): Promise<DicomDataset> {
    const { study_instance_uid: study, series_instance_uid: series } = this.#list;
    const one = this.#read(() => readMetadata(study, series, sop, this.#signal), sop);
    return this.#keep(
      sop,
      one.then(([dataset]) => dataset ?? Promise.reject(missing())),
    );
  }

  /** What failed is asked for again by who wants it next. */
  #keep(sop: string, dataset: Promise<DicomDataset>): Promise<DicomDataset> {
    this.#datasets.set(sop, dataset);
    dataset.catch(() => this.#datasets.get(sop) === dataset && this.#datasets.delete(sop));
    return dataset;
  }

  /** Without a connection it is tried again and again: pixels that wait for this are there already. */
  async #read(ask: () => Promise<DicomDataset[]>, sop: string | null): Promise<DicomDataset[]> {
    for (let failures = 0; ; failures++) {
      try {
        const datasets = await ask();
        await this.#fetchTables(datasets, sop);
        return datasets;
      } catch (error) {
        if (!(error instanceof ConnectionError)) throw error;
        await new Promise((later) => setTimeout(later, backOffMs(failures)));
        this.#signal.throwIfAborted();
      }
    }
  }

  async #fetchTables(datasets: DicomDataset[], sop: string | null): Promise<void> {
    const { study_instance_uid: study, series_instance_uid: series } = this.#list;
    for (const element of datasets.flatMap(tablesToFetch)) {
      const uri = element.BulkDataURI ?? '';
      element.bytes = await readBulkData(study, series, sop, uri, this.#signal);
    }
  }
}

const missing = () => new ProblemError(404, 'not_found', '', 'The file has no attributes.');
