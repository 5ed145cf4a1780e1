/**
 * What the tabs of one browser tell each other about the session.
 *
 * The token travels between tabs of the same origin only, in memory, so that one tab's refresh serves them all.
 */
export interface TabGrant {
  token: string;
  /** Milliseconds since the epoch. */
  expiresAt: number;
  username: string;
  sessionId: string;
}

export type TabMessage = { type: 'signed-in'; grant: TabGrant } | { type: 'signed-out'; reason: EndReason };

/** Why nobody is signed in any more. */
export type EndReason = 'logged-out' | 'session-ended';

const CHANNEL = 'imageserver-session';
const LOCK = 'imageserver-refresh';

export class Tabs {
  readonly #channel = new BroadcastChannel(CHANNEL);

  constructor(listener: (message: TabMessage) => void) {
    this.#channel.onmessage = (event: MessageEvent<TabMessage>) => listener(event.data);
  }

  tell(message: TabMessage): void {
    this.#channel.postMessage(message);
  }

  /**
   * Runs `work` in one tab at a time. Browsers offer locks only on https and localhost; elsewhere each tab
   * works for itself, which costs a request and breaks nothing.
   */
  oneAtATime<T>(work: () => Promise<T>): Promise<T> {
    const locks = (navigator as { locks?: LockManager }).locks;
    return locks ? (locks.request(LOCK, work) as Promise<T>) : work();
  }

  close(): void {
    this.#channel.close();
  }
}
