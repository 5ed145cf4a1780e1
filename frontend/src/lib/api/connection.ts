/** Finds out why a request got no answer; the browser itself tells a script nothing but "failed". */
import { apiUrl } from './config';
import { ConnectionError } from './problem';

const PROBE_TIMEOUT_MS = 4000;

/**
 * A server that can be reached answers a request without CORS (opaque, unreadable); where that works and the
 * readable one does not, the server refuses this page's origin. Where both work, the connection broke once.
 */
export async function explainSilence(apiUrl: string): Promise<ConnectionError> {
  if (!navigator.onLine) return new ConnectionError('offline', apiUrl);
  if (!(await answers(apiUrl, 'no-cors'))) return new ConnectionError('unreachable', apiUrl);
  if (!(await answers(apiUrl, 'cors'))) return new ConnectionError('refused-origin', apiUrl);
  return new ConnectionError('interrupted', apiUrl);
}

/** Whether the API answers, asked without any right. */
export async function isServerThere(): Promise<boolean> {
  try {
    return await answers(await apiUrl(), 'no-cors');
  } catch {
    return false;
  }
}

async function answers(apiUrl: string, mode: RequestMode): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
    await fetch(`${apiUrl}/healthz`, { mode, cache: 'no-store', credentials: 'omit', signal });
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether the browser lets page and API share the session cookie (SameSite=Strict): same host name, or names
 * under one domain. `localhost` and `127.0.0.1` are the same machine, but not the same site.
 */
export function sharesSite(pageHost: string, apiHost: string): boolean {
  if (pageHost === apiHost) return true;
  if ([pageHost, apiHost].some((host) => isAddress(host) || !host.includes('.'))) return false;
  return site(pageHost) === site(apiHost);
}

const isAddress = (host: string) => /^[\d.]+$/.test(host) || host.startsWith('[');

/**
 * Registries that sell names below a second level, as in `hospital.nhs.uk`. Browsers know all of them by the Public
 * Suffix List, which would weigh more than all of these pages; one that is missing here costs a hint, nothing else.
 */
const SECOND_LEVEL =
  /^(ac|co|com|edu|gob|gouv|gov|gv|go|health|med|mil|ne|net|nhs|nom|or|org|sch)\.[a-z]{2}$/;

function site(host: string): string {
  const labels = host.toLowerCase().replace(/\.$/, '').split('.');
  const isBelowSecondLevel = SECOND_LEVEL.test(labels.slice(-2).join('.'));
  return labels.slice(isBelowSecondLevel ? -3 : -2).join('.');
}
