/** What was done to measurements, step by step, so that it can be undone and done again. */
import type { MeasurementContent } from './types';

export interface Step {
  id: string;
  /** Null: there was none. */
  before: MeasurementContent | null;
  after: MeasurementContent | null;
}

const LONGEST = 200;

export class History {
  #done: Step[] = [];
  #undone: Step[] = [];

  get canUndo(): boolean {
    return this.#done.length > 0;
  }

  get canRedo(): boolean {
    return this.#undone.length > 0;
  }

  note(step: Step): void {
    this.#done = [...this.#done.slice(1 - LONGEST), step];
    this.#undone = [];
  }

  undo(): Step | null {
    const step = this.#done.pop() ?? null;
    if (step) this.#undone.push(step);
    return step;
  }

  redo(): Step | null {
    const step = this.#undone.pop() ?? null;
    if (step) this.#done.push(step);
    return step;
  }

  /** Steps of a measurement that another tab changed would bring back what is not there any more. */
  forget(id: string): void {
    this.#done = this.#done.filter((step) => step.id !== id);
    this.#undone = this.#undone.filter((step) => step.id !== id);
  }

  clear(): void {
    this.#done = [];
    this.#undone = [];
  }
}
