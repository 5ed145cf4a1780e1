/** Scrolling cells together by position. Knows where the slices of each cell lie, and why some cannot follow. */
import { readSliceList } from '$lib/api/frames';
import type { ViewerCell } from './viewerCell.svelte';
import { nearestSlice, whyNotLinked, type Line, type NotLinked } from './viewerLinked';

export class LinkedScroll {
  #isOn = $state(false);
  #refusals = $state.raw<readonly (NotLinked | null)[]>([]);
  // Looked up, never shown.
  // eslint-disable-next-line svelte/prefer-svelte-reactivity
  readonly #positions = new Map<string, Promise<(number | null)[]>>();
  #controller = new AbortController();

  get isOn(): boolean {
    return this.#isOn;
  }

  /** By cell: why it does not follow the active one; null where it does. */
  get refusals(): readonly (NotLinked | null)[] {
    return this.#refusals;
  }

  toggle(): void {
    this.#isOn = !this.#isOn;
    this.#refusals = [];
  }

  /** Takes the other cells to where the active one is. */
  async follow(cells: readonly ViewerCell[], active: ViewerCell): Promise<void> {
    if (!this.#isOn) return;
    const index = active.index;
    const lines = await Promise.all(cells.map((cell) => this.#lineOf(cell)));
    const own = lines[cells.indexOf(active)];
    // Somebody scrolled on while positions were asked for; the later call does it.
    if (!own || index === null || active.index !== index || !this.#isOn) return;
    this.#refusals = lines.map((line) => (line && line !== own ? whyNotLinked(own, line) : null));
    lines.forEach((line, place) => {
      const target = line && line !== own ? nearestSlice(own, index, line) : null;
      if (target !== null) cells[place]?.goTo(target);
    });
  }

  async #lineOf(cell: ViewerCell): Promise<Line | null> {
    const { series, stack } = cell;
    if (!series) return null;
    const key = `${series} ${stack ?? ''}`;
    const positions =
      this.#positions.get(key) ??
      readSliceList(series, stack, this.#controller.signal).then(({ slices }) =>
        slices.map((slice) => slice.position_mm),
      );
    this.#positions.set(key, positions);
    const slice = cell.state?.slice;
    const facts = cell.instance.value;
    try {
      return {
        positionsMm: await positions,
        frameOfReferenceUid: slice?.frameOfReferenceUid ?? facts?.frameOfReferenceUid ?? null,
        orientation: slice?.imageOrientation ?? facts?.orientation ?? null,
      };
    } catch {
      this.#positions.delete(key);
      return null;
    }
  }

  destroy(): void {
    this.#controller.abort();
    this.#controller = new AbortController();
    this.#positions.clear();
  }
}
