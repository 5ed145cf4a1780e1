/** The one way to ask the API: adds the token, reads problem details, and names every other failure. */
import { apiUrl } from './config';
import { explainSilence } from './connection';
import { ConnectionError, isNamed, ProblemError, SignedOutError, UnexpectedAnswerError } from './problem';

const TIMEOUT_MS = 30_000;

/** What a new token may cure. A wrong present password is a 401, too, and must not be sent twice. */
const RENEWABLE = new Set(['not_authenticated', 'token_expired', 'session_ended']);

/** Who is signed in, as far as a request needs to know. The session's state provides it. */
export interface Credentials {
  readonly token: string | null;
  /** Whose token it is. */
  readonly username: string | null;
  /**
   * Gets a new token unless `rejected` was already replaced. Where the session ended by itself under an open page this
   * takes until its person has logged in again. Throws SignedOutError when nothing comes of that.
   */
  renew(rejected: string | null): Promise<void>;
}

let credentials: Credentials | null = null;

/** Who wants to know of each answer and of each one that did not come. */
export interface ConnectionWatcher {
  answered(): void;
  failed(error: unknown): void;
}

let watcher: ConnectionWatcher | null = null;

export function watchConnection(connection: ConnectionWatcher): void {
  watcher = connection;
}

export function useCredentials(provider: Credentials): void {
  credentials = provider;
}

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** A list repeats its parameter. */
  query?: Record<string, string | number | boolean | readonly string[] | null | undefined>;
  json?: unknown;
  form?: Record<string, string>;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
  /** `bearer` needs a session, `cookie` sends the session cookie, `none` neither. */
  auth?: 'bearer' | 'cookie' | 'none';
  /** Sends the session cookie beside the token, so that the answer may replace it. */
  withCookie?: boolean;
  timeoutMs?: number;
  /** How the browser may use what it has kept. */
  cache?: RequestCache;
}

/** Sends a request and returns a successful answer (2xx or 304); throws an error of `problem.ts` otherwise. */
export async function request(path: string, options: RequestOptions = {}): Promise<Response> {
  if ((options.auth ?? 'bearer') !== 'bearer') return send(path, options, null);
  if (!credentials) throw new SignedOutError();
  if (!credentials.token) await orAborted(credentials.renew(null), options.signal);
  const { token, username } = credentials;
  try {
    return await send(path, options, token);
  } catch (error) {
    if (!(error instanceof ProblemError) || !RENEWABLE.has(error.code)) throw error;
    await orAborted(credentials.renew(token), options.signal);
    // What was asked for as one person is never answered as another.
    if (credentials.username !== username) throw new SignedOutError();
    return send(path, options, credentials.token);
  }
}

/** Somebody may take long to log in again; who asked may not be interested any more by then. */
function orAborted(work: Promise<void>, signal?: AbortSignal): Promise<void> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new DOMException('Given up', 'AbortError'));
    if (signal.aborted) return giveUp();
    signal.addEventListener('abort', giveUp, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp));
  });
}

async function send(path: string, options: RequestOptions, token: string | null): Promise<Response> {
  const base = await findApi();
  const timeout = AbortSignal.timeout(options.timeoutMs ?? TIMEOUT_MS);
  const signal = options.signal ? AbortSignal.any([options.signal, timeout]) : timeout;
  let response: Response;
  try {
    response = await fetch(address(base, path, options.query), { ...toInit(options, token), signal });
  } catch (error) {
    throw await explain(error, base, options.signal);
  }
  watcher?.answered();
  if (response.ok || response.status === 304) return response;
  throw await readProblem(response);
}

async function findApi(): Promise<string> {
  try {
    return await apiUrl();
  } catch {
    const failure = new ConnectionError(navigator.onLine ? 'unreachable' : 'offline', location.origin);
    watcher?.failed(failure);
    throw failure;
  }
}

function address(base: string, path: string, query: RequestOptions['query'] = {}): string {
  const url = new URL(path, base);
  for (const [name, value] of Object.entries(query)) {
    if (value === null || value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) url.searchParams.append(name, String(one));
  }
  return url.href;
}

function toInit(options: RequestOptions, token: string | null): RequestInit {
  const headers = new Headers(options.headers);
  if (token) headers.set('Authorization', `Bearer ${token}`);
  if (options.json !== undefined) headers.set('Content-Type', 'application/json');
  const body = options.form
    ? new URLSearchParams(options.form)
    : options.json === undefined
      ? null
      : JSON.stringify(options.json);
  return {
    method: options.method ?? 'GET',
    headers,
    body,
    cache: options.cache ?? 'default',
    credentials: options.auth === 'cookie' || options.withCookie ? 'include' : 'omit',
    redirect: 'error',
  };
}

/** What a failed fetch, or a body that broke off, means. */
async function explain(error: unknown, base: string, given?: AbortSignal): Promise<unknown> {
  if (given?.aborted) return new DOMException('Given up', 'AbortError');
  if (isNamed(error, 'TimeoutError')) return new ConnectionError('timeout', base);
  const silence = await explainSilence(base);
  watcher?.failed(silence);
  return silence;
}

async function readProblem(response: Response): Promise<ProblemError | UnexpectedAnswerError> {
  const { status } = response;
  if (!mediaType(response).endsWith('json')) {
    return new UnexpectedAnswerError(status >= 502 && status <= 504 ? 'gateway' : 'web-page', status);
  }
  const body: unknown = await response.json().catch(() => null);
  if (typeof body !== 'object' || body === null || !('code' in body) || typeof body.code !== 'string') {
    return new UnexpectedAnswerError('not-json', status);
  }
  const { code, title, detail, request_id, ...members } = body as Record<string, unknown>;
  return new ProblemError(
    status,
    String(code),
    typeof title === 'string' ? title : '',
    typeof detail === 'string' ? detail : '',
    typeof request_id === 'string' ? request_id : null,
    readRetryAfter(response),
    members,
  );
}

function readRetryAfter(response: Response): number | null {
  const text = response.headers.get('Retry-After');
  return text && /^\d+$/.test(text) ? Number(text) : null;
}

export function mediaType(response: Response): string {
  return (response.headers.get('Content-Type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** The answer's JSON; anything else than JSON is named as what it is. */
export async function requestJson<T>(path: string, options: RequestOptions = {}): Promise<T> {
  return readJson<T>(await request(path, options));
}

export async function readJson<T>(response: Response): Promise<T> {
  const type = mediaType(response);
  if (!type.endsWith('json')) {
    throw new UnexpectedAnswerError(type === 'text/html' ? 'web-page' : 'not-json', response.status);
  }
  const text = await readBody(response, () => response.text());
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new UnexpectedAnswerError('not-json', response.status);
  }
}

/** Reads a body to its end; a connection that breaks off in the middle is an error of its own. */
export async function readBody<T>(
  response: Response,
  read: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw await explain(error, new URL(response.url || location.origin).origin, signal);
  }
}
