/** The tokens that a person gives to programs. */
import { request, requestJson } from './client';

export type TokenRights = 'read' | 'read_write';

export interface ProgramToken {
  id: string;
  name: string;
  /** How the secret begins. */
  start: string;
  rights: TokenRights;
  created: string;
  expires: string;
  /** To the minute; null: never. */
  last_used: string | null;
  is_expired: boolean;
}

export interface TokenWish {
  name: string;
  rights: TokenRights;
  /** ISO 8601 with a zone. */
  expires: string;
  password: string;
}

export async function readTokens(signal?: AbortSignal): Promise<ProgramToken[]> {
  return (await requestJson<{ tokens: ProgramToken[] }>('/auth/tokens', { signal })).tokens;
}

/** Makes a token; `secret` comes in this answer and never again. */
export function makeToken(wish: TokenWish): Promise<ProgramToken & { secret: string }> {
  const { password, ...wanted } = wish;
  return requestJson('/auth/tokens', { method: 'POST', json: { ...wanted, current_password: password } });
}

export async function revokeToken(id: string): Promise<void> {
  await request(`/auth/tokens/${encodeURIComponent(id)}`, { method: 'DELETE' });
}
