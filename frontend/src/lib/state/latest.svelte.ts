/** One question at a time: the last one asked is the one answered, whatever arrives late. */
import { isSilent } from '$lib/api/problem';
import { connection, isLoss } from './connection.svelte';

/** From here on a person should see that something is under way. */
const SLOW_AFTER_MS = 400;

export class Latest<T> {
  #value = $state.raw<T | null>(null);
  #error = $state.raw<unknown>(null);
  #isBusy = $state(false);
  #isSlow = $state(false);
  #controller: AbortController | null = null;
  #slowTimer: ReturnType<typeof setTimeout> | undefined;
  #again: (() => Promise<void>) | null = null;
  #stopWaiting: (() => void) | null = null;
  readonly #release: (value: T) => void;

  /** `release` gives back what a value holds, such as an object URL, once it is not shown any more. */
  constructor(release: (value: T) => void = () => {}) {
    this.#release = release;
  }

  get value(): T | null {
    return this.#value;
  }

  get error(): unknown {
    return this.#error;
  }

  get isBusy(): boolean {
    return this.#isBusy;
  }

  get isSlow(): boolean {
    return this.#isSlow;
  }

  /** Asks; an earlier question still open is given up. The value before stays until the answer is there. */
  async ask(question: (signal: AbortSignal) => Promise<T>): Promise<void> {
    this.#stop();
    const controller = new AbortController();
    this.#controller = controller;
    this.#again = () => this.ask(question);
    this.#isBusy = true;
    this.#slowTimer = setTimeout(() => (this.#isSlow = true), SLOW_AFTER_MS);
    try {
      const value = await question(controller.signal);
      if (this.#controller === controller) this.#settle(value, null);
      else this.#release(value);
    } catch (error) {
      if (this.#controller !== controller) return;
      this.#settle(null, isSilent(error) ? null : error);
    }
  }

  /** Asks the last question again. */
  retry(): Promise<void> {
    return this.#again?.() ?? Promise.resolve();
  }

  cancel(): void {
    this.#stop();
  }

  /** Gives up and forgets, for instance because another volume was chosen. */
  clear(): void {
    this.#settle(null, null);
    this.#again = null;
  }

  #settle(value: T | null, error: unknown): void {
    this.#stop();
    if (this.#value !== null) this.#release(this.#value);
    this.#value = value;
    this.#error = error;
    // Nobody needs to press a button for what the network did.
    if (isLoss(error)) this.#stopWaiting = connection.onReturn(() => void this.retry());
  }

  #stop(): void {
    this.#controller?.abort();
    this.#controller = null;
    this.#stopWaiting?.();
    this.#stopWaiting = null;
    clearTimeout(this.#slowTimer);
    this.#isBusy = false;
    this.#isSlow = false;
  }
}
