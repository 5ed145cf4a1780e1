/**
 * When somebody last did something in any tab. An unattended page stops asking the server, so that the session can
 * end there, and is cleared when it would have.
 */
const EVENTS = ['pointerdown', 'keydown', 'wheel'] as const;
/** Other tabs hear of activity this often. */
const TELL_EVERY_MS = 20_000;

export class Attention {
  #last = Date.now();
  #told = 0;
  readonly #channel = new BroadcastChannel('imageserver-attention');
  readonly #notice = () => {
    this.#last = Date.now();
    if (this.#last - this.#told < TELL_EVERY_MS) return;
    this.#told = this.#last;
    this.#channel.postMessage(null);
  };

  constructor() {
    for (const name of EVENTS) addEventListener(name, this.#notice, { passive: true, capture: true });
    this.#channel.onmessage = () => (this.#last = Date.now());
  }

  /** Milliseconds since the last sign of life. */
  get quietFor(): number {
    return Date.now() - this.#last;
  }

  /** Only tests need it. */
  close(): void {
    for (const name of EVENTS) removeEventListener(name, this.#notice, { capture: true });
    this.#channel.close();
  }
}

export const attention = new Attention();
