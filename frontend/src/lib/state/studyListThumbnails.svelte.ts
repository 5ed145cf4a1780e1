/** The small pictures of the list: fetched a few at a time for what is in sight, and given back with the page. */
import { SvelteMap } from 'svelte/reactivity';
import { isSilent } from '$lib/api/problem';
import { readThumbnail } from '$lib/api/thumbnails';

const AT_ONCE = 4;
/** Pictures kept in memory; the browser's cache has the others. */
const KEPT = 600;

export type Thumbnail = { url: string } | { error: unknown };

export class Thumbnails {
  /** In the order in which they were asked for last. */
  readonly #known = new SvelteMap<string, Thumbnail>();
  // What is wanted and on its way is nothing that a page shows.
  // eslint-disable-next-line svelte/prefer-svelte-reactivity
  readonly #wanted = new Map<string, number>();
  // eslint-disable-next-line svelte/prefer-svelte-reactivity
  readonly #loading = new Set<string>();
  readonly #controller = new AbortController();

  get(address: string): Thumbnail | undefined {
    return this.#known.get(address);
  }

  /** Asks for a picture that came into sight; returns how to say that it is out of sight again. */
  want(address: string): () => void {
    this.#wanted.set(address, (this.#wanted.get(address) ?? 0) + 1);
    this.#next();
    return () => {
      const others = (this.#wanted.get(address) ?? 1) - 1;
      if (others > 0) this.#wanted.set(address, others);
      else this.#wanted.delete(address);
    };
  }

  /** Tries again what failed, because the server is back. */
  retry(): void {
    for (const [address, thumbnail] of this.#known) {
      if ('error' in thumbnail) this.#known.delete(address);
    }
    this.#next();
  }

  /** Gives all pictures back; nothing is fetched any more. */
  destroy(): void {
    this.#controller.abort();
    for (const thumbnail of this.#known.values()) revoke(thumbnail);
    this.#known.clear();
    this.#wanted.clear();
  }

  #next(): void {
    for (const address of this.#wanted.keys()) {
      if (this.#loading.size >= AT_ONCE) return;
      if (!this.#known.has(address) && !this.#loading.has(address)) void this.#load(address);
    }
  }

  async #load(address: string): Promise<void> {
    this.#loading.add(address);
    try {
      const picture = await readThumbnail(address, this.#controller.signal);
      if (this.#controller.signal.aborted) return;
      this.#keep(address, { url: URL.createObjectURL(picture) });
    } catch (error) {
      if (!isSilent(error)) this.#keep(address, { error });
    } finally {
      this.#loading.delete(address);
      if (!this.#controller.signal.aborted) this.#next();
    }
  }

  #keep(address: string, thumbnail: Thumbnail): void {
    this.#known.set(address, thumbnail);
    for (const [oldest, value] of this.#known) {
      if (this.#known.size <= KEPT) return;
      if (this.#wanted.has(oldest)) continue;
      this.#known.delete(oldest);
      revoke(value);
    }
  }
}

function revoke(thumbnail: Thumbnail): void {
  if ('url' in thumbnail) URL.revokeObjectURL(thumbnail.url);
}
