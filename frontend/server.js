/**
 * Serves the built pages, `/config.json` and `/healthz`, and says with each answer what a page may do.
 *
 * The same small server runs in the container and on one machine, so the pages behave the same in both.
 * It never talks to the API: browsers do, at the address that `/config.json` names.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import sirv from 'sirv';

const BUILD = fileURLToPath(new URL('./build', import.meta.url));
/** How long open connections may take to finish once the server was asked to stop. */
const STOP_WITHIN_MS = 3000;

/**
 * The one `style` attribute in the pages: SvelteKit hides its announcer of page titles with it. A hash lets
 * exactly that value in; `server.test.js` compares it with the installed SvelteKit.
 */
export const ANNOUNCER_STYLE_HASH = "'sha256-S8qMpvofolR8Mpjy4kQvEm7m1q8clzU4dfDH0AmvZjo='";

/** A setting cannot be used; the message names it. */
export class SettingError extends Error {}

/**
 * @typedef {object} Settings
 * @property {string} host Address to listen on.
 * @property {number} port Port to listen on.
 * @property {string} apiUrl Origin of the API; empty means the page's own host name on `apiPort`.
 * @property {number} apiPort Port of the API where `apiUrl` is empty.
 * @property {boolean} https Whether people reach the pages by https (a proxy in front ends it).
 */

/**
 * @param {Record<string, string | undefined>} environment
 * @returns {Settings}
 */
export function readSettings(environment) {
  return {
    host: environment.IMAGESERVER_HOST || '127.0.0.1',
    port: readPort(environment, 'IMAGESERVER_WEB_PORT', 3000),
    apiUrl: readOrigin(environment, 'IMAGESERVER_API_URL'),
    apiPort: readPort(environment, 'IMAGESERVER_PORT', 8000),
    https: /^https:/i.test(environment.IMAGESERVER_WEB_URL ?? ''),
  };
}

/**
 * @param {Record<string, string | undefined>} environment
 * @param {string} name
 * @param {number} fallback
 */
function readPort(environment, name, fallback) {
  const text = environment[name] || String(fallback);
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65535) {
    throw new SettingError(`${name} is "${text}"; it must be a port number from 1 to 65535.`);
  }
  return port;
}

/**
 * @param {Record<string, string | undefined>} environment
 * @param {string} name
 */
function readOrigin(environment, name) {
  const text = environment[name] ?? '';
  if (!text) return '';
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== '/' || url.search || url.hash) {
    throw new SettingError(`${name} is "${text}"; it must look like http://images.example.org:8000.`);
  }
  return url.origin;
}

/**
 * The hashes by which Content-Security-Policy lets exactly the inline scripts of the built page run.
 *
 * @param {string} html
 * @returns {string[]}
 */
export function inlineScriptHashes(html) {
  return [...html.matchAll(/<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g)].map(
    ([, script = '']) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`,
  );
}

/**
 * Where a page may send requests. Without a fixed API address this follows the host name in the request, as
 * the page itself does; a name that is not a plain host name gets none. A source without a scheme takes the
 * page's own scheme.
 *
 * @param {Settings} settings
 * @param {string | undefined} host The request's Host header.
 */
export function apiSource(settings, host) {
  if (settings.apiUrl) return settings.apiUrl;
  const name = /^([a-z0-9.-]+)(:\d+)?$/i.exec(host ?? '')?.[1];
  return name ? `${name}:${settings.apiPort}` : '';
}

/**
 * @param {Settings} settings
 * @param {string[]} scriptHashes
 * @param {string | undefined} host
 * @returns {Record<string, string>}
 */
export function securityHeaders(settings, scriptHashes, host) {
  const policy = [
    "default-src 'none'",
    `script-src ${["'self'", ...scriptHashes].join(' ')}`,
    `style-src 'self' 'unsafe-hashes' ${ANNOUNCER_STYLE_HASH}`,
    "img-src 'self' blob:",
    "font-src 'self'",
    `connect-src ${["'self'", apiSource(settings, host)].join(' ').trim()}`,
    // The decoder of compressed frames; only the policy `viewer-worker` below may start it.
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types svelte-trusted-html viewer-worker',
  ];
  return {
    'Content-Security-Policy': policy.join('; '),
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': 'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
    ...(settings.https ? { 'Strict-Transport-Security': 'max-age=31536000' } : {}),
  };
}

/** Where the build puts scripts that run beside the page. */
const WORKERS = '/_app/immutable/workers/';

/**
 * What the decoder of compressed frames may do: compile the codecs that it fetches from here, and nothing else. The
 * pages themselves may not compile WebAssembly; a worker goes by the policy of its own answer (CSP 3, 4.2.2).
 */
const WORKER_POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; require-trusted-types-for 'script'; trusted-types 'none'";

/**
 * Whether an address is that of a file and not of a page. A page's may end in a UID, so digits are no extension.
 *
 * @param {string} pathname
 */
function isFile(pathname) {
  return pathname.startsWith('/_app/') || /\.[a-z]\w*$/i.test(pathname);
}

/** @param {string} pathname */
function cacheControl(pathname) {
  if (pathname.startsWith('/_app/immutable/')) return 'public, max-age=31536000, immutable';
  // The page itself is never kept, so that nothing of it comes back by the back button after log-out.
  return isFile(pathname) && !pathname.endsWith('.html') ? 'no-cache' : 'no-store';
}

/**
 * @param {import('node:http').ServerResponse} response
 * @param {number} status
 * @param {string} type
 * @param {string} body
 */
function answer(response, status, type, body) {
  response.writeHead(status, {
    'Content-Type': `${type}; charset=utf-8`,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

/**
 * @param {Settings} settings
 * @param {string} [build] Folder of the built pages.
 * @returns {import('node:http').RequestListener}
 */
export function createApp(settings, build = BUILD) {
  const scriptHashes = inlineScriptHashes(readFileSync(`${build}/index.html`, 'utf8'));
  const files = sirv(build, { brotli: true, gzip: true, etag: true });
  const config = JSON.stringify({ apiUrl: settings.apiUrl, apiPort: settings.apiPort });

  return (request, response) => {
    const headers = securityHeaders(settings, scriptHashes, request.headers.host);
    response.setHeaders(new Map(Object.entries(headers)));
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      return answer(response, 405, 'text/plain', 'Only GET and HEAD.\n');
    }
    const [pathname = '/'] = (request.url ?? '/').split('?', 1);
    if (pathname === '/healthz') return answer(response, 200, 'application/json', '{"status":"ok"}');
    if (pathname === '/config.json') return answer(response, 200, 'application/json', config);
    response.setHeader('Cache-Control', cacheControl(pathname));
    if (pathname.startsWith(WORKERS)) response.setHeader('Content-Security-Policy', WORKER_POLICY);
    files(request, response, () => {
      if (isFile(pathname)) return answer(response, 404, 'text/plain', 'Not found.\n');
      // Every other address is a page of the application, which knows itself whether it exists.
      request.url = '/';
      files(request, response);
    });
  };
}

/**
 * @param {NodeJS.ErrnoException} error
 * @param {Settings} settings
 */
export function explainListenError(error, { host, port }) {
  if (error.code === 'EADDRINUSE') {
    return `Port ${port} on ${host} is in use. Stop what uses it, or set IMAGESERVER_WEB_PORT to a free port.`;
  }
  if (error.code === 'EACCES') {
    return `Port ${port} may not be opened by this user. Set IMAGESERVER_WEB_PORT to a port above 1023.`;
  }
  return `Cannot listen on ${host}:${port} (${error.code}). IMAGESERVER_HOST and IMAGESERVER_WEB_PORT choose the address.`;
}

/**
 * @param {string} message
 * @returns {never}
 */
function giveUp(message) {
  console.error(message);
  process.exit(1);
}

function main() {
  let settings;
  try {
    settings = readSettings(process.env);
  } catch (error) {
    if (error instanceof SettingError) giveUp(error.message);
    throw error;
  }
  if (!existsSync(`${BUILD}/index.html`)) giveUp('The pages are not built yet. Run "npm run build" first.');
  const server = createServer(createApp(settings));
  server.on('error', (error) => giveUp(explainListenError(error, settings)));
  server.listen(settings.port, settings.host, () => {
    console.log(`Pages at http://${settings.host}:${settings.port}`);
  });
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      server.close(() => process.exit(0));
      server.closeIdleConnections();
      setTimeout(() => server.closeAllConnections(), STOP_WITHIN_MS).unref();
    });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
