/** The slice that is shown, and the way to its neighbours. Owns the picture's object URL. */
import { ProblemError, UnexpectedAnswerError } from '$lib/api/problem';
import { readSlice, type SliceAddress } from '$lib/api/slice';
import type { Slice, Stack, VolumeDetail, Window } from '$lib/api/types';
import { readVolume } from '$lib/api/volumes';
import { placeOf } from '$lib/dicom/arrangement';
import type { Size } from '$lib/dicom/geometry';
import { Latest } from './latest.svelte';

export interface ShownSlice extends Slice {
  url: string;
  size: Size;
  /** What was asked for; null members were left to the server, which says what series it chose. */
  address: SliceAddress;
}

export class SliceView {
  readonly detail = new Latest<VolumeDetail>();
  readonly slice = new Latest<ShownSlice>((shown) => URL.revokeObjectURL(shown.url));
  /** What was last asked for, shown or not. */
  #wanted = $state.raw<SliceAddress | null>(null);
  #count = $state(0);

  get wanted(): SliceAddress | null {
    return this.#wanted;
  }

  /** Slices in the order that is stepped through; 0 while unknown. */
  get count(): number {
    return this.#count;
  }

  /** Position asked for, from 0; null while the server chooses. */
  get index(): number | null {
    return this.#wanted?.index ?? this.slice.value?.index ?? this.#middle?.index ?? null;
  }

  get #middle() {
    return this.detail.value?.middle ?? null;
  }

  /** The stack that is stepped through; null where that is the whole series. */
  get stack(): Stack | null {
    return this.#findStack(this.#wanted?.stack ?? this.#middle?.stack ?? null);
  }

  /** The stack of the slice that is shown: its geometry. In a localizer each slice may have another. */
  get shownStack(): Stack | null {
    const shown = this.slice.value;
    return shown && this.#findStack(shown.stack ?? shown.address.stack ?? this.#middle?.stack ?? null);
  }

  #findStack(number: number | null): Stack | null {
    const stacks = this.detail.value?.stacks ?? [];
    return stacks.find(({ stack }) => stack === number) ?? (stacks.length === 1 ? (stacks[0] ?? null) : null);
  }

  /** The window in use: the one asked for, else the file's first, else null (the server guesses). */
  get window(): Window | null {
    const windows = this.detail.value?.windows ?? [];
    const { center, width } = this.#wanted ?? {};
    return windows.find((w) => w.center === center && w.width === width) ?? windows[0] ?? null;
  }

  /** Shows the middle slice of a series, as the server chooses it; of the default volume where none is given. */
  async showMiddle(series: string | null): Promise<void> {
    this.clear();
    const asked = this.#ask({ series });
    if (series) this.#describe(series);
    await asked;
  }

  #describe(series: string): void {
    void this.detail.ask((signal) => readVolume(series, signal));
  }

  /** Shows a group's own middle slice. */
  async showStack(stack: Stack): Promise<void> {
    if (!this.#wanted) return;
    this.#count = stack.count;
    await this.#ask({
      ...this.#wanted,
      stack: stack.stack,
      index: stack.middle?.index ?? Math.floor(stack.count / 2),
    });
  }

  /** Goes to a position; positions beyond the ends stop there. */
  async goTo(index: number): Promise<void> {
    if (!this.#wanted || this.#count === 0) return;
    const target = Math.min(Math.max(index, 0), this.#count - 1);
    if (target === this.index && !this.slice.error) return;
    await this.#ask({ ...this.#wanted, index: target });
  }

  step(by: number): Promise<void> {
    return this.index === null ? Promise.resolve() : this.goTo(this.index + by);
  }

  async useWindow({ center, width }: Window): Promise<void> {
    if (this.#wanted) await this.#ask({ ...this.#wanted, index: this.index, center, width });
  }

  /** Lays the overlays of the files over the pictures, or takes them off; stays so for the slices that follow. */
  async drawOverlays(overlays: boolean): Promise<void> {
    if (this.#wanted) await this.#ask({ ...this.#wanted, index: this.index, overlays });
  }

  clear(): void {
    this.detail.clear();
    this.slice.clear();
    this.#wanted = null;
    this.#count = 0;
  }

  /** What an answer tells is learnt within the question, since that is also asked again without us. */
  async #ask(address: SliceAddress): Promise<void> {
    this.#wanted = address;
    await this.slice.ask(async (signal) => {
      try {
        const shown = await loadSlice(address, signal);
        if (!signal.aborted) this.#learn(address, shown.address.series, shown);
        return shown;
      } catch (error) {
        if (!signal.aborted) this.#learnFrom(error, address);
        throw error;
      }
    });
  }

  /** The middle slice may be the one that cannot be shown; the problem then says where it stands. */
  #learnFrom(error: unknown, address: SliceAddress): void {
    if (!(error instanceof ProblemError)) return;
    const place = placeOf(error.members['slice']);
    const series = error.members['series_instance_uid'];
    if (place)
      this.#learn({ ...address, index: place.index }, typeof series === 'string' ? series : null, place);
  }

  /** From here on the same series is asked for, whichever becomes the default meanwhile. */
  #learn(address: SliceAddress, series: string | null, { count }: { count: number }): void {
    if (count > 0) this.#count = count;
    this.#wanted = { ...address, series: address.series ?? series };
    if (series && !address.series) this.#describe(series);
  }
}

/** Reads a slice and lets the browser decode it once, so that only a good picture replaces the one before. */
export async function loadSlice(address: SliceAddress, signal: AbortSignal): Promise<ShownSlice> {
  const slice = await readSlice(address, signal);
  const bitmap = await createImageBitmap(slice.picture).catch(() => {
    throw new UnexpectedAnswerError('damaged-image', 200);
  });
  const size = { width: bitmap.width, height: bitmap.height };
  bitmap.close();
  signal.throwIfAborted();
  const series = address.series ?? slice.seriesInstanceUid;
  return { ...slice, size, address: { ...address, series }, url: URL.createObjectURL(slice.picture) };
}
