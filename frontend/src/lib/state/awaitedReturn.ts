import { SignedOutError } from '$lib/api/problem';

/** What requests wait for whose session ended by itself: the same person logs in again, or nobody does. */
export class AwaitedReturn {
  #settle: { come: () => void; giveUp: () => void } | null = null;
  #promise: Promise<void> = Promise.resolve();

  begin(): void {
    this.#promise = new Promise((resolve, reject) => {
      this.#settle = { come: resolve, giveUp: () => reject(new SignedOutError()) };
    });
    // Nobody may be waiting.
    this.#promise.catch(() => {});
  }

  wait(): Promise<void> {
    return this.#promise;
  }

  /** The same person is back. */
  come(): void {
    this.#settle?.come();
    this.#settle = null;
  }

  /** Log-out, or another person: what was asked for stays unanswered. */
  giveUp(): void {
    this.#settle?.giveUp();
    this.#settle = null;
  }
}
