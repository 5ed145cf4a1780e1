/**
 * Keeps measurements on the server as they are on the page, one request at a time for each, in the order that things
 * were done, until the server has them. Nothing is lost by a connection that breaks off: what was sent is known, so a
 * request may come twice. Where another tab was first, its version is taken, and said.
 */
import {
  deleteMeasurement,
  saveMeasurement,
  toStored,
  type MeasurementAnswer,
  type StoredMeasurement,
} from '$lib/api/measurements';
import { ProblemError, SignedOutError } from '$lib/api/problem';
import type { MeasurementContent } from './types';

/** `waiting`: the server could not be reached, it is tried again; `refused`: it does not take it as it is. */
export type SaveState = 'saved' | 'saving' | 'waiting' | 'refused';

export interface SavingHandlers {
  /** False while somebody else than who measured is signed in, or nobody: then nothing is sent. */
  mayGoOn(): boolean;
  onstate(id: string, state: SaveState, problem: unknown): void;
  /** Another tab was first: what the server has instead, null where it was deleted. */
  onreplaced(id: string, present: StoredMeasurement | null): void;
  /** The server has it now. */
  onstored(id: string, present: StoredMeasurement | null): void;
}

interface Pending {
  wanted: MeasurementContent | null;
  stored: { version: string; content: MeasurementContent } | null;
  /** Sent without an answer that came back: the server may have them. */
  sent: MeasurementContent[];
  isBusy: boolean;
  failures: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

const PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 30_000;
const RETRIED_STATUSES = new Set([401, 429]);

export class Saving {
  readonly #pending = new Map<string, Pending>();
  readonly #handlers: SavingHandlers;

  constructor(handlers: SavingHandlers) {
    this.#handlers = handlers;
  }

  /** The server has this; ignored while something of it is on its way. True where it is the page's content, too. */
  learn(stored: StoredMeasurement): boolean {
    const known = this.#of(stored.id);
    if (this.#isDirty(known)) return false;
    known.stored = { version: stored.version, content: stored.content };
    known.wanted = stored.content;
    return true;
  }

  /** The server does not have it any more. False while something of it is on its way. */
  forget(id: string): boolean {
    const known = this.#pending.get(id);
    if (known && this.#isDirty(known)) return false;
    this.#pending.delete(id);
    return true;
  }

  /** Wants the server to have this content; null: to have it no more. */
  want(id: string, content: MeasurementContent | null): void {
    const known = this.#of(id);
    known.wanted = content;
    known.failures = 0;
    if (!this.#isDirty(known)) {
      clearTimeout(known.timer);
      return this.#handlers.onstate(id, 'saved', null);
    }
    this.#handlers.onstate(id, 'saving', null);
    this.#later(id, known, PAUSE_MS);
  }

  /** Whether the server may have something else than the page. */
  get isUnsaved(): boolean {
    return [...this.#pending.values()].some((known) => this.#isDirty(known));
  }

  /** Tries at once what waits. */
  retry(): void {
    for (const [id, known] of this.#pending) {
      if (this.#isDirty(known) && !known.isBusy) this.#later(id, known, 0);
    }
  }

  /** Leaves everything as it is; what is on its way arrives. */
  stop(): void {
    for (const known of this.#pending.values()) clearTimeout(known.timer);
    this.#pending.clear();
  }

  #of(id: string): Pending {
    let known = this.#pending.get(id);
    if (!known) {
      known = { wanted: null, stored: null, sent: [], isBusy: false, failures: 0, timer: undefined };
      this.#pending.set(id, known);
    }
    return known;
  }

  #isDirty({ isBusy, sent, wanted, stored }: Pending): boolean {
    return isBusy || sent.length > 0 || !isSame(wanted, stored?.content ?? null);
  }

  #later(id: string, known: Pending, milliseconds: number): void {
    clearTimeout(known.timer);
    known.timer = setTimeout(() => void this.#send(id, known), milliseconds);
  }

  async #send(id: string, known: Pending): Promise<void> {
    if (known.isBusy) return; // it goes on when the answer is there
    if (!this.#handlers.mayGoOn()) {
      this.#handlers.onstate(id, 'waiting', null);
      return this.#later(id, known, LONGEST_PAUSE_MS);
    }
    known.isBusy = true;
    this.#handlers.onstate(id, 'saving', null);
    const { wanted } = known;
    try {
      await (wanted ? this.#put(id, known, wanted) : this.#delete(id, known));
      known.isBusy = false;
      known.failures = 0;
      if (isSame(known.wanted, wanted)) this.#settle(id, known);
      else this.#later(id, known, 0);
    } catch (error) {
      known.isBusy = false;
      this.#fail(id, known, wanted, error);
    }
  }

  async #put(id: string, known: Pending, wanted: MeasurementContent): Promise<void> {
    known.sent.push(wanted);
    const stored = await saveMeasurement(id, wanted, known.stored?.version ?? null);
    known.sent = [];
    known.stored = { version: stored.version, content: wanted };
    this.#handlers.onstored(id, stored);
  }

  async #delete(id: string, known: Pending): Promise<void> {
    // Where nobody knows which of the sent contents arrived, any of them is to go.
    await deleteMeasurement(id, known.sent.length > 0 ? null : (known.stored?.version ?? null));
    known.sent = [];
    known.stored = null;
    this.#handlers.onstored(id, null);
  }

  #settle(id: string, known: Pending): void {
    this.#handlers.onstate(id, 'saved', null);
    if (known.wanted === null) this.#pending.delete(id);
  }

  #fail(id: string, known: Pending, wanted: MeasurementContent | null, error: unknown): void {
    if (error instanceof ProblemError && error.code === 'measurement_changed') {
      return this.#resolve(id, known, error.members.measurement as MeasurementAnswer | null);
    }
    if (isRefusal(error)) {
      known.sent = [];
      this.#handlers.onstate(id, 'refused', error);
      if (!isSame(known.wanted, wanted)) this.#later(id, known, 0);
      return;
    }
    this.#handlers.onstate(id, 'waiting', error);
    known.failures += 1;
    const pause = Math.min(1000 * 2 ** (known.failures - 1), LONGEST_PAUSE_MS);
    this.#later(id, known, error instanceof SignedOutError ? LONGEST_PAUSE_MS : pause);
  }

  /** The server has another version than was thought. */
  #resolve(id: string, known: Pending, answer: MeasurementAnswer | null): void {
    const present = answer && toStored(answer);
    const isOwn = present !== null && known.sent.some((sent) => isSame(sent, present.content));
    known.sent = [];
    known.stored = present && { version: present.version, content: present.content };
    if (isOwn) return this.#later(id, known, 0); // its answer had been lost
    known.wanted = present?.content ?? null;
    this.#handlers.onreplaced(id, present);
    this.#settle(id, known);
  }
}

/** Whether to try again would be in vain. */
function isRefusal(error: unknown): boolean {
  return error instanceof ProblemError && error.status < 500 && !RETRIED_STATUSES.has(error.status);
}

/** Whether two contents say the same, in whatever order their members stand. */
export function isSame(one: MeasurementContent | null, other: MeasurementContent | null): boolean {
  return one === other || canonical(one) === canonical(other);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
