/**
 * Whether the server can be reached. Learns it from every request and from the browser, asks again by itself while it
 * cannot be, and tells who waits for it.
 */
import { watchConnection, type ConnectionWatcher } from '$lib/api/client';
import { isServerThere } from '$lib/api/connection';
import { ConnectionError } from '$lib/api/problem';

const FIRST_PROBES_MS = 1_000;
const LATER_PROBES_MS = 10_000;
/** A server that starts again is back within a minute; longer outages are asked about less often. */
const FIRST_PROBES_LAST_MS = 60_000;

export class Connection implements ConnectionWatcher {
  #lostAt = $state<number | null>(null);
  #probe: ReturnType<typeof setTimeout> | undefined;
  // eslint-disable-next-line svelte/prefer-svelte-reactivity -- no page shows who waits
  readonly #waiting = new Set<() => void>();

  /** Begins to listen to the browser; returns how to stop. */
  follow(): () => void {
    const wentOffline = () => this.#lose();
    const cameOnline = () => this.#lostAt !== null && void this.#ask();
    addEventListener('offline', wentOffline);
    addEventListener('online', cameOnline);
    return () => {
      clearTimeout(this.#probe);
      removeEventListener('offline', wentOffline);
      removeEventListener('online', cameOnline);
    };
  }

  /** Since when the server cannot be reached (milliseconds since the epoch); null while it can. */
  get lostAt(): number | null {
    return this.#lostAt;
  }

  /** Calls back each time that the connection returns. Returns how to stop that. */
  onReturn(callback: () => void): () => void {
    this.#waiting.add(callback);
    return () => this.#waiting.delete(callback);
  }

  answered(): void {
    if (this.#lostAt === null) return;
    clearTimeout(this.#probe);
    this.#lostAt = null;
    for (const callback of [...this.#waiting]) callback();
  }

  failed(error: unknown): void {
    if (isLoss(error)) this.#lose();
  }

  #lose(): void {
    if (this.#lostAt !== null) return;
    this.#lostAt = Date.now();
    this.#plan();
  }

  #plan(): void {
    clearTimeout(this.#probe);
    const isNew = Date.now() - (this.#lostAt ?? 0) < FIRST_PROBES_LAST_MS;
    this.#probe = setTimeout(() => void this.#ask(), isNew ? FIRST_PROBES_MS : LATER_PROBES_MS);
  }

  async #ask(): Promise<void> {
    if (navigator.onLine && (await isServerThere())) this.answered();
    else if (this.#lostAt !== null) this.#plan();
  }
}

/** Whether an error means that no answer can come for now, rather than that one answer failed. */
export function isLoss(error: unknown): boolean {
  return error instanceof ConnectionError && (error.kind === 'offline' || error.kind === 'unreachable');
}

export const connection = new Connection();
watchConnection(connection);
