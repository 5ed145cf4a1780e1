/** Keeps measurements as the API does, behind `fetch`; for tests. */
import { vi } from 'vitest';
import { useCredentials } from '$lib/api/client';

interface Row {
  id: string;
  version: string;
  [name: string]: unknown;
}

export class FakeServer {
  readonly rows = new Map<string, Row>();
  readonly calls: string[] = [];
  /** Answers instead of the server; null: the server answers. `lost`: it does what it was asked, and nobody hears it. */
  fault: (() => Response | 'unreachable' | 'lost' | null) | null = null;
  #versions = 0;

  constructor() {
    useCredentials({ token: 't', username: 'anna', renew: async () => {} });
    vi.stubGlobal('fetch', (input: string, init: RequestInit = {}) => this.#answer(input, init));
  }

  /** What another tab does. */
  put(id: string, changes: Record<string, unknown>): void {
    const version = `v${++this.#versions}`;
    this.rows.set(id, { ...this.rows.get(id), ...changes, id, version, created: '', updated: '' });
  }

  async #answer(input: string, init: RequestInit): Promise<Response> {
    const url = new URL(input, 'http://localhost:3000');
    if (url.pathname === '/config.json') return json(200, { apiUrl: 'http://localhost:8000', apiPort: 8000 });
    if (!url.pathname.startsWith('/measurements')) throw new TypeError('Failed to fetch');
    const method = init.method ?? 'GET';
    this.calls.push(`${method} ${url.pathname}`);
    const fault = this.fault?.() ?? null;
    if (fault instanceof Response) return fault;
    if (fault === 'unreachable') throw new TypeError('Failed to fetch');
    const answer = this.#serve(url, method, init);
    if (fault === 'lost') throw new TypeError('Failed to fetch');
    return answer;
  }

  #serve(url: URL, method: string, init: RequestInit): Response {
    const headers = new Headers(init.headers);
    const id = url.pathname.split('/')[2] ?? '';
    const present = this.rows.get(id) ?? null;
    const known = headers.get('If-Match');
    if (method === 'GET') return this.#list(url);
    if (method === 'DELETE') {
      if (present && known !== '*' && known !== `"${present.version}"`) return changed(present);
      this.rows.delete(id);
      return new Response(null, { status: 204 });
    }
    const content = JSON.parse(String(init.body)) as Record<string, unknown>;
    const isEqual = present && Object.entries(content).every(([name, value]) => same(present[name], value));
    if (!isEqual) {
      if (known ? known !== `"${present?.version}"` : present) return changed(present);
      this.put(id, { plane: 'acquired', ...content });
    }
    return json(present ? 200 : 201, this.rows.get(id));
  }

  #list(url: URL): Response {
    const series = url.searchParams.get('series');
    const measurements = [...this.rows.values()].filter((row) => row.series_instance_uid === series);
    return json(200, { measurements });
  }
}

const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

const json = (status: number, body: unknown) =>
  new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } });

const changed = (measurement: Row | null) => problem(412, 'measurement_changed', { measurement });

export const problem = (status: number, code: string, members = {}) =>
  new Response(JSON.stringify({ code, title: code, detail: 'Why.', status, ...members }), {
    status,
    headers: { 'Content-Type': 'application/problem+json' },
  });
