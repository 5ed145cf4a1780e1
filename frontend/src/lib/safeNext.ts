/** Where to go after log-in. Only pages of this site: an address from a link must not lead elsewhere. */
export function safeNext(next: string | null, origin: string): string {
  const fallback = '/dashboard';
  if (!next?.startsWith('/') || !URL.canParse(next, origin)) return fallback;
  const url = new URL(next, origin);
  const isOurs = url.origin === origin && !/^\/(login|setup)?\/?$/.test(url.pathname);
  return isOurs ? url.pathname + url.search : fallback;
}

/** The log-in page's address that leads back to `url` afterwards. */
export function logInAddress(url: URL): string {
  const next = url.pathname + url.search;
  return next === '/dashboard' || next === '/' ? '/login' : `/login?next=${encodeURIComponent(next)}`;
}
