/**
 * How many volumes the data directory holds and how far reading it is. Follows the server by asking again:
 * each second while it works, else every 15 s. Knows nothing about any patient.
 */
import { ConnectionError, isSilent } from '$lib/api/problem';
import type { IndexStatus, Volume, VolumeList } from '$lib/api/types';
import { readOverview } from '$lib/api/volumes';
import { attention } from './attention';
import { connection } from './connection.svelte';

const WORKING_MS = 1_000;
const RESTING_MS = 15_000;
/** Without a sign of life for this long nobody is looking; asking on would keep the session from ending. */
const ATTENTION_MS = 5 * 60_000;

export class VolumeIndex {
  #list = $state.raw<VolumeList | null>(null);
  #error = $state.raw<unknown>(null);
  #lostContact = $state.raw<number | null>(null);
  #etag: string | null = null;
  #lastAnswer: number | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #controller: AbortController | null = null;

  get total(): number | null {
    return this.#list?.total ?? null;
  }

  get defaultVolume(): Volume | null {
    return this.#list?.volumes[0] ?? null;
  }

  get status(): IndexStatus | null {
    return this.#list?.index ?? null;
  }

  get error(): unknown {
    return this.#error;
  }

  /** Since when the server has been silent, after it had answered before. */
  get lostContact(): number | null {
    return this.#lostContact;
  }

  /** Begins to follow; returns how to stop. */
  follow(): () => void {
    const looked = () => document.visibilityState === 'visible' && void this.ask();
    const stopWaiting = connection.onReturn(() => void this.ask());
    document.addEventListener('visibilitychange', looked);
    void this.ask();
    return () => {
      stopWaiting();
      document.removeEventListener('visibilitychange', looked);
      clearTimeout(this.#timer);
      this.#controller?.abort();
    };
  }

  /** Asks now, instead of waiting for the next turn. */
  async ask(): Promise<void> {
    clearTimeout(this.#timer);
    this.#controller?.abort();
    const controller = new AbortController();
    this.#controller = controller;
    try {
      const answer = await readOverview(this.#etag, controller.signal);
      this.#learn(answer);
    } catch (error) {
      if (isSilent(error)) return;
      this.#error = error;
      if (error instanceof ConnectionError) this.#lostContact ??= this.#lastAnswer;
    }
    if (this.#controller === controller) this.#plan();
  }

  #learn(answer: Awaited<ReturnType<typeof readOverview>>): void {
    this.#lastAnswer = Date.now();
    this.#lostContact = null;
    this.#error = null;
    if (!answer) return;
    this.#etag = answer.etag;
    this.#list = answer.list;
  }

  #plan(): void {
    const isWorking = this.status?.state === 'building';
    this.#timer = setTimeout(() => this.#takeTurn(), isWorking ? WORKING_MS : RESTING_MS);
  }

  #takeTurn(): void {
    if (document.visibilityState === 'visible' && attention.quietFor < ATTENTION_MS) void this.ask();
    else this.#plan();
  }
}
