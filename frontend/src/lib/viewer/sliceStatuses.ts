/** What has become of each slice of a stack, counted as it changes. */
import type { SliceStatus } from './types';

export class SliceStatuses {
  readonly #statuses: SliceStatus[];
  readonly #counts: Record<SliceStatus, number> = { absent: 0, loading: 0, ready: 0, failed: 0 };
  #told: readonly SliceStatus[] | null = null;

  constructor(statuses: SliceStatus[]) {
    this.#statuses = statuses;
    for (const status of statuses) this.#counts[status]++;
  }

  /** The same array until something changes. */
  get all(): readonly SliceStatus[] {
    return (this.#told ??= [...this.#statuses]);
  }

  get(index: number): SliceStatus | undefined {
    return this.#statuses[index];
  }

  set(index: number, status: SliceStatus): void {
    const before = this.#statuses[index];
    if (before === undefined || before === status) return;
    this.#counts[before]--;
    this.#counts[status]++;
    this.#statuses[index] = status;
    this.#told = null;
  }

  /** Puts all slices of a range that are in one state into another. */
  turn(first: number, end: number, from: SliceStatus, to: SliceStatus): void {
    for (let index = first; index < end; index++) if (this.#statuses[index] === from) this.set(index, to);
  }

  count(status: SliceStatus): number {
    return this.#counts[status];
  }

  /** Whether a slice of a range is in this state. */
  has(status: SliceStatus, first: number, end: number): boolean {
    if (this.#counts[status] === 0) return false;
    for (let index = first; index < end; index++) if (this.#statuses[index] === status) return true;
    return false;
  }
}
