// @vitest-environment jsdom
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { request, requestJson, useCredentials, type Credentials } from './client';
import { ConnectionError, ProblemError, SignedOutError, UnexpectedAnswerError } from './problem';
import { isWholePng, readSlice } from './slice';

type Answer = (url: URL, init: RequestInit) => Response | Promise<Response>;

const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), {
    status,
    headers: { 'Content-Type': status < 400 ? 'application/json' : 'application/problem+json', ...headers },
  });

const problem = (status: number, code: string, members = {}) =>
  json(status, {
    type: `/problems/${code}`,
    title: code,
    status,
    detail: 'Why.',
    code,
    request_id: 'r1',
    ...members,
  });

/** A server that answers with `answer`; `/config.json` always works. */
function serve(answer: Answer) {
  const calls: { url: URL; init: RequestInit }[] = [];
  vi.stubGlobal('fetch', async (input: string, init: RequestInit = {}) => {
    const url = new URL(input, 'http://localhost:3000');
    if (url.pathname === '/config.json') return json(200, { apiUrl: 'http://localhost:8000', apiPort: 8000 });
    calls.push({ url, init });
    init.signal?.throwIfAborted();
    return answer(url, init);
  });
  return calls;
}

const bearer = (init: RequestInit) => new Headers(init.headers).get('Authorization');

function holdToken(first: string, renewed = 'second') {
  let token: string | null = first;
  const credentials = {
    username: 'anna',
    get token() {
      return token;
    },
    renew: vi.fn(async () => {
      token = renewed;
    }),
  };
  useCredentials(credentials);
  return credentials;
}

beforeEach(() => {
  holdToken('first');
});

describe('request', () => {
  it('repeats a parameter for each of its values, and leaves out what is not there', async () => {
    const calls = serve(() => json(200, {}));
    await request('/studies', { query: { modality: ['CT', 'MR'], query: null, verdict: [], limit: 50 } });
    expect(calls[0]?.url.search).toBe('?modality=CT&modality=MR&limit=50');
  });

  it('adds the token, and no cookie', async () => {
    const calls = serve(() => json(200, {}));
    await request('/volumes', { query: { limit: 1, offset: null } });
    expect(calls[0]?.url.href).toBe('http://localhost:8000/volumes?limit=1');
    expect(bearer(calls[0]?.init ?? {})).toBe('Bearer first');
    expect(calls[0]?.init.credentials).toBe('omit');
  });

  it('sends no token to public routes', async () => {
    const calls = serve(() => json(200, { setup_required: false }));
    await request('/auth/status', { auth: 'none' });
    expect(bearer(calls[0]?.init ?? {})).toBeNull();
  });

  it('reads problem details', async () => {
    serve(() => problem(422, 'undecodable_frame', { neighbours: [3, 5] }));
    const error = await request('/slice').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ProblemError);
    expect(error).toMatchObject({
      status: 422,
      code: 'undecodable_frame',
      detail: 'Why.',
      requestId: 'r1',
      members: { neighbours: [3, 5] },
    });
  });

  it('reads how long to wait', async () => {
    serve(() => json(429, { code: 'too_many_attempts', detail: 'x' }, { 'Retry-After': '8' }));
    await expect(request('/auth/token', { auth: 'cookie' })).rejects.toMatchObject({ retryAfter: 8 });
  });

  it('renews an expired token once and repeats the request with the new one', async () => {
    const credentials = holdToken('old', 'new');
    const calls = serve((_, init) =>
      bearer(init) === 'Bearer new' ? json(200, {}) : problem(401, 'token_expired'),
    );
    await request('/patient');
    expect(credentials.renew).toHaveBeenCalledExactlyOnceWith('old');
    expect(calls).toHaveLength(2);
  });

  it('gives up when the new token is refused as well', async () => {
    serve(() => problem(401, 'token_expired'));
    await expect(request('/patient')).rejects.toMatchObject({ code: 'token_expired' });
  });

  it('passes on that the session is over', async () => {
    const credentials: Credentials = {
      token: 'old',
      username: 'anna',
      renew: () => Promise.reject(new SignedOutError()),
    };
    useCredentials(credentials);
    serve(() => problem(401, 'session_ended'));
    await expect(request('/patient')).rejects.toBeInstanceOf(SignedOutError);
  });

  it('never repeats one person’s request as another', async () => {
    const credentials = holdToken('annas', 'berts');
    const renew = credentials.renew.getMockImplementation();
    credentials.renew.mockImplementation(async () => {
      await renew?.();
      credentials.username = 'bert';
    });
    const calls = serve(() => problem(401, 'session_ended'));
    await expect(request('/patient')).rejects.toBeInstanceOf(SignedOutError);
    expect(calls.map(({ init }) => bearer(init))).toEqual(['Bearer annas']);
  });

  it('sends the cookie beside the token where the answer may replace it', async () => {
    holdToken('first');
    const calls = serve(() => json(200, {}));
    await request('/auth/password', { method: 'POST', json: {}, withCookie: true });
    expect(calls[0]?.init.credentials).toBe('include');
    expect(bearer(calls[0]?.init ?? {})).toBe('Bearer first');
  });

  it('does not wait for a log-in on behalf of somebody who gave up', async () => {
    serve(() => problem(401, 'token_expired'));
    useCredentials({ token: 'old', username: 'anna', renew: () => new Promise(() => {}) });
    const controller = new AbortController();
    const asked = request('/patient', { signal: controller.signal });
    await Promise.resolve();
    controller.abort();
    await expect(asked).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('does not renew for a wrong password', async () => {
    const credentials = holdToken('first');
    for (const auth of ['cookie', 'bearer'] as const) {
      const calls = serve(() => problem(401, 'invalid_credentials'));
      await expect(request('/auth/password', { auth })).rejects.toMatchObject({
        code: 'invalid_credentials',
      });
      expect(calls).toHaveLength(1);
    }
    expect(credentials.renew).not.toHaveBeenCalled();
  });

  it('names a request that was given up', async () => {
    serve(() => json(200, {}));
    const controller = new AbortController();
    controller.abort();
    await expect(request('/patient', { signal: controller.signal })).rejects.toMatchObject({
      name: 'AbortError',
    });
  });

  it('names a server that answers too late', async () => {
    serve(
      (_, init) =>
        new Promise((_resolve, reject) =>
          init.signal?.addEventListener('abort', () => reject(init.signal?.reason)),
        ),
    );
    await expect(request('/patient', { timeoutMs: 5 })).rejects.toMatchObject({ kind: 'timeout' });
  });
});

describe('a request without an answer', () => {
  const failing: Answer = () => {
    throw new TypeError('Failed to fetch');
  };
  const kind = async () =>
    (await request('/patient').catch((error: ConnectionError) => error)) as ConnectionError;

  it('is the computer’s fault when that is offline', async () => {
    serve(failing);
    vi.spyOn(navigator, 'onLine', 'get').mockReturnValue(false);
    expect(await kind()).toMatchObject({ kind: 'offline' });
  });

  it('means that the server cannot be reached when nothing there answers', async () => {
    serve(failing);
    expect(await kind()).toMatchObject({ kind: 'unreachable', apiUrl: 'http://localhost:8000' });
  });

  it('means a refused origin when only unreadable answers come', async () => {
    serve((url, init) => (init.mode === 'no-cors' ? json(200, {}) : failing(url, init)));
    expect(await kind()).toMatchObject({ kind: 'refused-origin' });
  });

  it('means a broken connection when the server answers otherwise', async () => {
    serve((url, init) => (url.pathname === '/healthz' ? json(200, {}) : failing(url, init)));
    expect(await kind()).toMatchObject({ kind: 'interrupted' });
  });
});

describe('an answer of another kind', () => {
  const html = (status: number) =>
    new Response('<h1>Bad gateway</h1>', { status, headers: { 'Content-Type': 'text/html; charset=utf-8' } });

  it.each([
    [502, 'gateway'],
    [504, 'gateway'],
    [404, 'web-page'],
    [200, 'web-page'],
  ])('is named: a page with status %i', async (status, kind) => {
    serve(() => html(status));
    const error = await requestJson('/patient').catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UnexpectedAnswerError);
    expect(error).toMatchObject({ kind });
  });

  it('is named: broken JSON', async () => {
    serve(() => new Response('{"name": ', { headers: { 'Content-Type': 'application/json' } }));
    await expect(requestJson('/patient')).rejects.toMatchObject({ kind: 'not-json' });
  });

  it('is named: JSON that is no problem document', async () => {
    serve(() => json(500, { detail: 'x' }));
    await expect(requestJson('/patient')).rejects.toMatchObject({ kind: 'not-json' });
  });
});

describe('readSlice', () => {
  // The smallest PNG there is: 1 × 1 pixels, grey.
  const PNG = Uint8Array.from(
    atob('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=='),
    (character) => character.charCodeAt(0),
  );
  const png = (bytes: Uint8Array<ArrayBuffer>, headers = {}) =>
    new Response(bytes, { headers: { 'Content-Type': 'image/png', ...headers } });

  it('tells which slice came', async () => {
    const place = { 'X-Slice-Index': '32', 'X-Slice-Count': '64', 'X-Frame-Number': '1' };
    serve(() => png(PNG, { ...place, 'X-Series-Instance-UID': '1.2' }));
    const slice = await readSlice({ series: null });
    expect(slice).toMatchObject({ index: 32, count: 64, frameNumber: 1, seriesInstanceUid: '1.2' });
    expect(slice.picture.size).toBe(PNG.length);
  });

  it('refuses half a picture, of which browsers would paint the upper part', async () => {
    serve(() => png(PNG.slice(0, PNG.length - 20)));
    await expect(readSlice({ series: '1.2' })).rejects.toMatchObject({ kind: 'damaged-image' });
  });

  it('refuses JSON and pages in place of a picture', async () => {
    serve(() => json(200, {}));
    await expect(readSlice({ series: '1.2' })).rejects.toMatchObject({ kind: 'not-image' });
    serve(() => new Response('<p>', { headers: { 'Content-Type': 'text/html' } }));
    await expect(readSlice({ series: '1.2' })).rejects.toMatchObject({ kind: 'web-page' });
  });

  it('knows a whole PNG by both its ends', () => {
    expect(isWholePng(PNG)).toBe(true);
    expect(isWholePng(PNG.slice(1))).toBe(false);
    expect(isWholePng(new Uint8Array())).toBe(false);
  });
});
