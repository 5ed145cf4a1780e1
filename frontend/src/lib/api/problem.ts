/** Every way in which asking the server can fail, told apart so that a person can be told what to do. */

/** The server answered with RFC 9457 problem details. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';

  constructor(
    readonly status: number,
    readonly code: string,
    readonly title: string,
    readonly detail: string,
    readonly requestId: string | null = null,
    /** Seconds until another try makes sense (Retry-After), when the server said so. */
    readonly retryAfter: number | null = null,
    /** Further members of the document, such as `errors` or `neighbours`. */
    readonly members: Readonly<Record<string, unknown>> = {},
  ) {
    super(detail || title);
  }
}

/** No usable answer came at all. */
export class ConnectionError extends Error {
  override readonly name = 'ConnectionError';

  constructor(
    readonly kind: 'offline' | 'unreachable' | 'refused-origin' | 'interrupted' | 'timeout',
    readonly apiUrl: string,
  ) {
    super(kind);
  }
}

/** An answer came, but not from the image server, or not a whole one. */
export class UnexpectedAnswerError extends Error {
  override readonly name = 'UnexpectedAnswerError';

  constructor(
    readonly kind: 'web-page' | 'not-json' | 'not-image' | 'damaged-image' | 'gateway',
    readonly status: number,
  ) {
    super(kind);
  }
}

/** The session is over; whoever holds it has been told and the page is on its way to the log-in. */
export class SignedOutError extends Error {
  override readonly name = 'SignedOutError';
}

/** True when nobody needs to be told: the request was given up on purpose, or the session is over. */
export function isSilent(error: unknown): boolean {
  return error instanceof SignedOutError || isNamed(error, 'AbortError');
}

/** DOMExceptions are told apart by their name. */
export function isNamed(error: unknown, name: string): boolean {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === name;
}
