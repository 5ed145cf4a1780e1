/** A plane that the server cuts: the last one asked for, and how far the server is with reading the volume. */
import { readReslice, type ResliceAddress } from '$lib/api/reslice';
import { ProblemError } from '$lib/api/problem';
import { Latest } from './latest.svelte';

export interface ServerCut {
  /** Of the picture that is here, which may be another one than is asked for. */
  index: number;
  bitmap: ImageBitmap;
}

const ASK_AGAIN_MS = 700;

export class ServerPlane {
  readonly picture = new Latest<ServerCut>(({ bitmap }) => bitmap.close());
  #reading = $state.raw<{ done: number; count: number } | null>(null);
  #asked = '';
  #address: ResliceAddress | null = null;

  /** Null: the server is not reading the volume, or does not say so. */
  get reading(): { done: number; count: number } | null {
    return this.picture.isBusy ? this.#reading : null;
  }

  ask(address: ResliceAddress): void {
    const asked = JSON.stringify(address);
    if (asked === this.#asked && !this.picture.error) return;
    this.#asked = asked;
    this.#address = address;
    void this.picture.ask((signal) => this.#read(address, signal));
  }

  /** After `clear`: asks for the same once more. */
  again(): void {
    if (this.#address && !this.#asked) this.ask(this.#address);
  }

  clear(): void {
    this.#asked = '';
    this.picture.clear();
  }

  async #read(address: ResliceAddress, signal: AbortSignal): Promise<ServerCut> {
    for (;;) {
      try {
        const { picture } = await readReslice(address, signal);
        this.#reading = null;
        return { index: address.index, bitmap: await createImageBitmap(picture) };
      } catch (error) {
        const told = error instanceof ProblemError && error.code === 'busy' ? error.members : null;
        if (!told || !('count' in told)) throw error;
        this.#reading = { done: Number(told.done), count: Number(told.count) };
        await new Promise((later) => setTimeout(later, ASK_AGAIN_MS));
        signal.throwIfAborted();
      }
    }
  }
}
