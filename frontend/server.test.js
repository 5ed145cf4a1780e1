import { createHash } from 'node:crypto';
import { mkdtempSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ANNOUNCER_STYLE_HASH,
  SettingError,
  apiSource,
  createApp,
  explainListenError,
  inlineScriptHashes,
  readSettings,
  securityHeaders,
} from './server.js';

const sha256 = (/** @type {string} */ text) =>
  `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

describe('readSettings', () => {
  it('has a default for everything', () => {
    expect(readSettings({})).toEqual({
      host: '127.0.0.1',
      port: 3000,
      apiUrl: '',
      apiPort: 8000,
      https: false,
    });
  });

  it('takes empty variables, as compose passes them, for unset ones', () => {
    expect(readSettings({ IMAGESERVER_WEB_PORT: '', IMAGESERVER_API_URL: '' })).toEqual(readSettings({}));
  });

  it.each(['0', '65536', '3000x', '-1', '3e3'])('refuses port %s and names the setting', (port) => {
    expect(() => readSettings({ IMAGESERVER_WEB_PORT: port })).toThrow(/IMAGESERVER_WEB_PORT/);
  });

  it.each([
    'images.example.org',
    'ftp://a',
    'http://a/b',
    'http://a?b',
    "http://a; script-src 'unsafe-inline'",
  ])('refuses the API address %s and names the setting', (url) => {
    expect(() => readSettings({ IMAGESERVER_API_URL: url })).toThrow(SettingError);
    expect(() => readSettings({ IMAGESERVER_API_URL: url })).toThrow(/IMAGESERVER_API_URL/);
  });

  it('keeps the origin of the API address', () => {
    expect(readSettings({ IMAGESERVER_API_URL: 'https://Images.example.org/' }).apiUrl).toBe(
      'https://images.example.org',
    );
  });
});

describe('apiSource', () => {
  const settings = readSettings({});

  it.each([
    ['localhost:3000', 'localhost:8000'],
    ['127.0.0.1:3000', '127.0.0.1:8000'],
    ['ct-room-2', 'ct-room-2:8000'],
  ])('follows the host name of the page %s', (host, source) => {
    expect(apiSource(settings, host)).toBe(source);
  });

  it.each([undefined, '', "a; script-src 'unsafe-inline'", 'a b', 'a,b', '*', '[::1]:3000'])(
    'lets nothing of the odd host header %j into the policy',
    (host) => {
      expect(apiSource(settings, host)).toBe('');
    },
  );

  it('is the fixed address where one is set', () => {
    const fixed = readSettings({ IMAGESERVER_API_URL: 'https://api.example.org' });
    expect(apiSource(fixed, 'evil.example')).toBe('https://api.example.org');
  });
});

describe('securityHeaders', () => {
  it('allows scripts by hash, and requests to the API only', () => {
    const policy = securityHeaders(readSettings({}), ["'sha256-abc'"], 'localhost:3000')[
      'Content-Security-Policy'
    ];
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self' 'sha256-abc';");
    expect(policy).toContain("connect-src 'self' localhost:8000;");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe-inline');
    expect(policy).not.toContain('unsafe-eval');
  });

  it('asks for https only where the pages are reached by it', () => {
    const header = 'Strict-Transport-Security';
    expect(securityHeaders(readSettings({}), [], 'a')).not.toHaveProperty(header);
    const https = readSettings({ IMAGESERVER_WEB_URL: 'https://images.example.org' });
    expect(securityHeaders(https, [], 'a')).toHaveProperty(header);
  });

  it('lets in the one style attribute that the installed SvelteKit writes', () => {
    const root = readFileSync('node_modules/@sveltejs/kit/src/core/sync/write_root.js', 'utf8');
    const style = /id="svelte-announcer"[^>]* style="([^"]*)"/.exec(root)?.[1] ?? '';
    expect(ANNOUNCER_STYLE_HASH).toBe(sha256(style));
  });
});

describe('inlineScriptHashes', () => {
  it('hashes inline scripts and leaves those with a source alone', () => {
    const html =
      '<script>\n one()\n</script><script type="module" src="/a.js"></script><script>two()</script>';
    expect(inlineScriptHashes(html)).toEqual([sha256('\n one()\n'), sha256('two()')]);
  });
});

describe('explainListenError', () => {
  it.each(['EADDRINUSE', 'EACCES', 'EADDRNOTAVAIL'])('names the setting in one line for %s', (code) => {
    const text = explainListenError(Object.assign(new Error(), { code }), readSettings({}));
    expect(text).toContain('IMAGESERVER_WEB_PORT');
    expect(text).not.toContain('\n');
  });
});

describe('createApp', () => {
  /** @type {import('node:http').Server} */
  let server;
  let base = '';

  beforeAll(async () => {
    const build = mkdtempSync(join(tmpdir(), 'pages-'));
    mkdirSync(join(build, '_app/immutable'), { recursive: true });
    writeFileSync(join(build, 'index.html'), '<!doctype html><script>start()</script>');
    writeFileSync(join(build, '_app/immutable/a.js'), 'export {}');
    mkdirSync(join(build, '_app/immutable/workers'));
    writeFileSync(join(build, '_app/immutable/workers/w.js'), 'export {}');
    server = createServer(createApp(readSettings({ IMAGESERVER_PORT: '8123' }), build));
    await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
    const address = server.address();
    if (address && typeof address === 'object') base = `http://127.0.0.1:${address.port}`;
  });

  afterAll(() => server.close());

  it.each(['/', '/login', '/dashboard?series=1.2.3', '/studies/1.2.840.10008'])(
    'answers %s with the page, never to be kept',
    async (path) => {
      const response = await fetch(base + path);
      expect(response.status).toBe(200);
      expect(response.headers.get('Cache-Control')).toBe('no-store');
      expect(response.headers.get('Content-Security-Policy')).toContain(sha256('start()'));
    },
  );

  it('lets browsers keep files whose name contains their hash', async () => {
    const response = await fetch(`${base}/_app/immutable/a.js`);
    expect(response.headers.get('Cache-Control')).toContain('immutable');
  });

  it('lets workers compile WebAssembly, and pages not', async () => {
    const worker = await fetch(`${base}/_app/immutable/workers/w.js`);
    const workerPolicy = worker.headers.get('Content-Security-Policy');
    expect(workerPolicy).toContain("script-src 'self' 'wasm-unsafe-eval';");
    expect(workerPolicy).toContain("default-src 'none'");
    const page = await fetch(`${base}/`);
    const pagePolicy = page.headers.get('Content-Security-Policy');
    expect(pagePolicy).not.toContain('eval');
    expect(pagePolicy).toContain("worker-src 'self';");
    expect(pagePolicy).toContain('trusted-types svelte-trusted-html viewer-worker');
  });

  it('has no page in place of a missing file', async () => {
    const response = await fetch(`${base}/_app/immutable/gone.js`);
    expect(response.status).toBe(404);
    expect(response.headers.get('Cache-Control')).toBe('no-store');
  });

  it.each(['/../server.js', '/..%2fserver.js', '/%2e%2e/package.json', '/%00', '/%', '//etc/passwd'])(
    'stays within the build and on its feet for %s',
    async (path) => {
      const response = await fetch(base + path);
      expect(await response.text()).not.toContain('createApp');
      expect((await fetch(`${base}/healthz`)).status).toBe(200);
    },
  );

  it('tells where the API is', async () => {
    expect(await (await fetch(`${base}/config.json`)).json()).toEqual({ apiUrl: '', apiPort: 8123 });
  });

  it('answers nothing but GET and HEAD', async () => {
    const response = await fetch(`${base}/login`, { method: 'POST', body: 'password=secret' });
    expect(response.status).toBe(405);
    expect(response.headers.get('Allow')).toBe('GET, HEAD');
    expect((await fetch(`${base}/healthz`, { method: 'HEAD' })).status).toBe(200);
  });
});
