/** Plays slices at a rate, by the clock of the screen. */
const DEFAULT_RATE = 15;
const MAX_RATE = 120;

export class Cine {
  #rate = DEFAULT_RATE;
  #frame: number | null = null;
  #due = 0;
  readonly #onstep: (slices: number) => void;

  constructor(onstep: (slices: number) => void) {
    this.#onstep = onstep;
  }

  get isPlaying(): boolean {
    return this.#frame !== null;
  }

  /** Pictures a second. */
  get rate(): number {
    return this.#rate;
  }

  play(rate: number | null): void {
    if (rate && rate > 0) this.#rate = Math.min(rate, MAX_RATE);
    else this.#rate = DEFAULT_RATE;
    if (this.#frame !== null) return;
    this.#due = performance.now() + 1000 / this.#rate;
    this.#frame = requestAnimationFrame(this.#tick);
  }

  pause(): void {
    if (this.#frame !== null) cancelAnimationFrame(this.#frame);
    this.#frame = null;
  }

  readonly #tick = (now: number) => {
    this.#frame = requestAnimationFrame(this.#tick);
    if (now < this.#due) return;
    const interval = 1000 / this.#rate;
    // A screen slower than the film, or a page that slept, does not make it hurry afterwards.
    this.#due = Math.max(this.#due + interval, now);
    this.#onstep(1);
  };
}
