/** Keys one after the other: none is lost that comes while the one before is at work, or other rows are on their way. */
import { tick } from 'svelte';

export class KeyQueue {
  #waiting: KeyboardEvent[] = [];
  #isActing = false;
  readonly #act: (event: KeyboardEvent) => unknown;
  readonly #isBusy: () => boolean;

  /** `isBusy` tells that keys have to wait, until `goOn` is called; what `act` returns is waited for. */
  constructor(act: (event: KeyboardEvent) => unknown, isBusy: () => boolean) {
    this.#act = act;
    this.#isBusy = isBusy;
  }

  push(event: KeyboardEvent): void {
    this.#waiting.push(event);
    void this.goOn();
  }

  /** Forgets what waits. */
  clear(): void {
    this.#waiting = [];
  }

  async goOn(): Promise<void> {
    while (!this.#isActing && !this.#isBusy()) {
      const event = this.#waiting.shift();
      if (!event) return;
      this.#isActing = true;
      try {
        await this.#act(event);
        await tick(); // it may have asked for other rows
      } finally {
        this.#isActing = false;
      }
    }
  }
}
