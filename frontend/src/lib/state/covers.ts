/**
 * What must leave the page when a session ends by itself while somebody works.
 *
 * The page's elements are taken out of the document then (pageCover.ts), whatever they are. Who also holds pixels
 * where that does not reach, such as in the memory of a graphics card, adds a cover:
 *
 *     $effect(() => covers.add({ cover: () => viewer.clearPixels(), uncover: () => viewer.restore() }));
 */
export interface Cover {
  /** Gives up all pixels and names, keeps the work: which slice, which window, what is being measured. */
  cover(): void;
  /** The same person is back: shows again what was there. */
  uncover(): void;
}

class Covers {
  readonly #all = new Set<Cover>();
  readonly #covered = new Set<Cover>();

  /** Returns how to take it away again. */
  add(cover: Cover): () => void {
    this.#all.add(cover);
    return () => {
      this.#all.delete(cover);
      this.#covered.delete(cover);
    };
  }

  cover(): void {
    for (const one of this.#all) {
      this.#covered.add(one);
      one.cover();
    }
  }

  uncover(): void {
    const covered = [...this.#covered];
    this.#covered.clear();
    for (const one of covered) one.uncover();
  }
}

export const covers = new Covers();
