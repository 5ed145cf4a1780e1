import { request, requestJson } from './client';
import type { Me, RefreshAnswer, TokenAnswer } from './types';

/** Log-in and log-out wait less long than a picture may take: nothing big is on its way. */
const TIMEOUT_MS = 15_000;

export function logIn(username: string, password: string): Promise<TokenAnswer> {
  return requestJson('/auth/token', {
    method: 'POST',
    form: { username, password },
    auth: 'cookie',
    timeoutMs: TIMEOUT_MS,
  });
}

export function refresh(): Promise<RefreshAnswer> {
  return requestJson('/auth/refresh', { method: 'POST', auth: 'cookie', timeoutMs: TIMEOUT_MS });
}

/** Ends the session on the server, by its token where there is one and by the cookie otherwise. */
export async function logOut(token: string | null, everywhere: boolean): Promise<void> {
  await request('/auth/logout', {
    method: 'POST',
    query: { everywhere: everywhere || undefined },
    headers: token ? { Authorization: `Bearer ${token}` } : {},
    auth: 'cookie',
    timeoutMs: TIMEOUT_MS,
  });
}

/** Who is signed in; `token` asks for that token's owner before the session holds it. */
export function readMe(token?: string): Promise<Me> {
  if (token === undefined) return requestJson('/auth/me');
  return requestJson('/auth/me', { headers: { Authorization: `Bearer ${token}` }, auth: 'none' });
}

export async function changePassword(currentPassword: string, newPassword: string): Promise<void> {
  await request('/auth/password', {
    method: 'POST',
    json: { current_password: currentPassword, new_password: newPassword },
    withCookie: true,
    timeoutMs: TIMEOUT_MS,
  });
}

export interface AuthStatus {
  setup_required: boolean;
  min_password_length: number;
}

export function readAuthStatus(signal?: AbortSignal): Promise<AuthStatus> {
  return requestJson('/auth/status', { auth: 'none', signal, timeoutMs: TIMEOUT_MS });
}

export async function setUp(code: string, username: string, password: string): Promise<void> {
  await request('/auth/setup', {
    method: 'POST',
    json: { code, username, password },
    auth: 'none',
    timeoutMs: TIMEOUT_MS,
  });
}
