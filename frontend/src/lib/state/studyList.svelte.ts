/**
 * The page of studies that is shown, and what the server said since. Asks once for each question, then follows it by
 * asking again: each second while the folder is being read, else every 15 s. Rows never move by themselves below
 * somebody's eyes: what is new waits until it is called for, unless nothing on the page has to move.
 */
import { ConnectionError, isSilent, ProblemError } from '$lib/api/problem';
import { readStudies, type Study, type StudyAnswer, type StudyList, type StudyQuery } from '$lib/api/studies';
import { attention } from './attention';
import { Latest } from './latest.svelte';

const WORKING_MS = 1_000;
const RESTING_MS = 15_000;
/** A server that was lost is looked for more often. */
const LOST_MS = 5_000;
/** Without a sign of life for this long nobody is looking; asking on would keep the session from ending. */
const ATTENTION_MS = 5 * 60_000;

export class ShownStudies {
  #rows = $state.raw<Study[] | null>(null);
  /** The newest answer: its numbers are always shown, its rows only when they may. */
  #newest = $state.raw<StudyList | null>(null);
  #totalWhenShown = $state(0);
  #pollError = $state.raw<unknown>(null);
  #lastAnswer = $state.raw<number | null>(null);
  #query: StudyQuery | null = null;
  #shownQuery = $state.raw<StudyQuery | null>(null);
  #etag: string | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #controller: AbortController | null = null;
  readonly #asked = new Latest<StudyAnswer | null>();
  readonly #isHeld: () => boolean;

  /** `isHeld` tells whether somebody is at work in the list, so that nothing in it may move. */
  constructor(isHeld: () => boolean) {
    this.#isHeld = isHeld;
  }

  /** Null as long as there is nothing to show. */
  get rows(): Study[] | null {
    return this.#rows;
  }

  get total(): number | null {
    return this.#newest?.total ?? null;
  }

  get totals(): StudyList['totals'] {
    return this.#newest?.totals;
  }

  get status(): StudyList['index'] | null {
    return this.#newest?.index ?? null;
  }

  /** The question that the rows answer. */
  get query(): StudyQuery | null {
    return this.#shownQuery;
  }

  get isBusy(): boolean {
    return this.#asked.isBusy;
  }

  get isSlow(): boolean {
    return this.#asked.isSlow;
  }

  /** Why the question has no answer; there are no rows then. */
  get error(): unknown {
    return this.#rows === null ? this.#asked.error : null;
  }

  /** Why the rows may be old. */
  get lostContact(): { error: unknown; since: number } | null {
    return this.#rows !== null && this.#pollError && this.#lastAnswer !== null
      ? { error: this.#pollError, since: this.#lastAnswer }
      : null;
  }

  /** Studies that came since the rows were shown; null where the rows are what the server has. */
  get news(): { added: number } | null {
    const newest = this.#newest?.studies;
    if (!this.#rows || !newest || isSamePage(this.#rows, newest)) return null;
    return { added: Math.max(0, (this.total ?? 0) - this.#totalWhenShown) };
  }

  /** Begins to notice that the network or the reader is back; returns how to stop everything. */
  follow(): () => void {
    const look = () => document.visibilityState === 'visible' && this.#shownQuery && void this.#poll();
    const target = ['online', 'offline'] as const;
    for (const name of target) addEventListener(name, look);
    document.addEventListener('visibilitychange', look);
    return () => {
      for (const name of target) removeEventListener(name, look);
      document.removeEventListener('visibilitychange', look);
      this.#stop();
      this.#asked.clear();
      this.#rows = this.#newest = this.#shownQuery = this.#query = null;
    };
  }

  /** Asks for another page. The rows before stay until it is there. */
  async ask(query: StudyQuery): Promise<void> {
    this.#stop();
    this.#query = query;
    await this.#asked.ask((signal) => readStudies(query, null, signal));
    if (this.#query !== query || this.#asked.isBusy) return;
    const answer = this.#asked.value;
    if (answer) this.#show(answer, query);
    else if (this.#asked.error) this.#rows = this.#newest = null;
    this.#plan();
  }

  /** Asks again: the question that failed, or whether anything changed. */
  retry(): Promise<void> {
    if (this.#rows !== null) return this.#poll();
    return this.#query ? this.ask(this.#query) : Promise.resolve();
  }

  /** Shows what came in the meantime. */
  showNews(): void {
    if (this.#newest) this.#take(this.#newest);
  }

  #show({ list, etag }: StudyAnswer, query: StudyQuery): void {
    this.#shownQuery = query;
    this.#etag = etag;
    this.#hear();
    this.#take(list);
  }

  #take(list: StudyList): void {
    this.#newest = list;
    this.#rows = list.studies;
    this.#totalWhenShown = list.total;
  }

  #hear(): void {
    this.#lastAnswer = Date.now();
    this.#pollError = null;
  }

  async #poll(): Promise<void> {
    const query = this.#query;
    if (!query || this.#asked.isBusy) return;
    this.#stop();
    const controller = new AbortController();
    this.#controller = controller;
    try {
      if (this.#rows === null) return await this.ask(query);
      const answer = await readStudies(query, this.#etag, controller.signal);
      if (this.#controller !== controller) return;
      this.#hear();
      if (answer) this.#learn(answer);
    } catch (error) {
      if (isSilent(error) || this.#controller !== controller) return;
      this.#pollError = error;
    }
    this.#plan();
  }

  #learn({ list, etag }: StudyAnswer): void {
    this.#etag = etag;
    const rows = this.#rows ?? [];
    const isFree = list.index.state === 'building' && !this.#isHeld();
    if (isFree || isContinued(rows, list.studies)) return this.#take(list);
    this.#newest = list;
    this.#rows = rows.map((study) => list.studies.find((newer) => isSameStudy(study, newer)) ?? study);
  }

  #plan(): void {
    clearTimeout(this.#timer);
    const isLost = this.#pollError !== null || isOutage(this.#asked.error);
    if (this.#rows === null && !isLost) return; // a refused question stays refused
    const wait = isLost ? LOST_MS : this.status?.state === 'building' ? WORKING_MS : RESTING_MS;
    this.#timer = setTimeout(() => this.#takeTurn(), wait);
  }

  #takeTurn(): void {
    if (document.visibilityState === 'visible' && attention.quietFor < ATTENTION_MS) void this.#poll();
    else this.#plan();
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#controller?.abort();
    this.#controller = null;
  }
}

/** A failure that ends by itself, so that asking again makes sense. */
function isOutage(error: unknown): boolean {
  return error instanceof ConnectionError || (error instanceof ProblemError && error.status >= 500);
}

const isSamePage = (one: Study[], other: Study[]) => one.length === other.length && isContinued(one, other);

/** Whether the newer rows begin with those that are shown, so that none of them moves. */
function isContinued(shown: Study[], newer: Study[]): boolean {
  return shown.length <= newer.length && shown.every((study, i) => isSameStudy(study, newer[i]));
}

const isSameStudy = (one: Study, other: Study | undefined) =>
  one.study_instance_uid === other?.study_instance_uid;
