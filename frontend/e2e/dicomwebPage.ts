/**
 * A page of another origin that uses the server by `dicomweb-client`, just as npm has it: what another program's page is.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test as base } from '@playwright/test';
import { ACCOUNT, createAccount, expect, getToken, Stack, waitForIndex } from './journey';
import type { MadeStudy } from './stack';

const LIBRARY = resolve(import.meta.dirname, '../node_modules/dicomweb-client/build/dicomweb-client.js');
const PAGE =
  '<!doctype html><meta charset="utf-8"><title>Another program</title><script src="client.js"></script>';

interface Service {
  stack: Stack;
  made: Record<'head' | 'film' | 'new', MadeStudy>;
  /** Port of the page; the server lets in `http://localhost:…`, not `http://127.0.0.1:…`. */
  port: number;
  secret: string;
  readOnly: string;
}

/** A part of an answer: its bytes in base64, and what the library says of them. */
export interface Part {
  bytes: string;
  mediaType: string | null;
  transferSyntax: string | null;
}

/** What a call came to; of one that was refused, the statuses that the interceptor of errors was told. */
export interface Outcome {
  value: unknown;
  refused: number[];
}

/** Call a method of the client; `datasets` in base64 become what it stores. */
export type Call = (
  method: string,
  given?: Record<string, unknown>,
  options?: Record<string, unknown>,
) => Promise<Outcome>;

export const test = base.extend<{ call: Call }, { service: Service }>({
  service: [
    // eslint-disable-next-line no-empty-pattern -- Playwright asks for a pattern
    async ({}, use) => {
      const library = readFileSync(LIBRARY);
      const pages = createServer((request, response) => {
        const isLibrary = request.url === '/client.js';
        response.setHeader('Content-Type', isLibrary ? 'text/javascript' : 'text/html');
        response.end(isLibrary ? library : PAGE);
      });
      await new Promise<void>((done) => pages.listen(0, '127.0.0.1', done));
      const { port } = pages.address() as AddressInfo;
      const store = mkdtempSync(join(tmpdir(), 'imageserver-store-'));
      const stack = await Stack.start(() => ({
        IMAGESERVER_CORS_ORIGINS: `http://localhost:${port}`,
        IMAGESERVER_STORE_DIR: store,
      }));
      const made = stack.writeDicomwebData('head', 'film');
      await createAccount(stack);
      await waitForIndex(stack, 2);
      const [secret, readOnly] = [await makeToken(stack, 'read_write'), await makeToken(stack, 'read')];
      await use({ stack, made, port, secret, readOnly });
      await stack.stop();
      rmSync(store, { recursive: true, force: true });
      pages.closeAllConnections();
      pages.close();
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  call: async ({ page, service }, use) => {
    await page.goto(`http://localhost:${service.port}/`);
    const shared = {
      url: `${service.stack.apiUrl}/dicomweb`,
      headers: { Authorization: `Bearer ${service.secret}` },
    };
    await use((method, given = {}, options = {}) =>
      page.evaluate(callClient, { method, given, options: { ...shared, ...options } }),
    );
  },
});

export { expect };

async function makeToken(stack: Stack, rights: string): Promise<string> {
  const answer = await fetch(`${stack.apiUrl}/auth/tokens`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${await getToken(stack)}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({
      name: `a page that may ${rights}`,
      rights,
      expires: new Date(Date.now() + 86_400_000).toISOString(),
      current_password: ACCOUNT.password,
    }),
  });
  expect(answer.status, await answer.clone().text()).toBe(201);
  return ((await answer.json()) as { secret: string }).secret;
}

export interface Library {
  api: {
    DICOMwebClient: {
      new (options: object): Record<string, (given: object) => Promise<unknown>>;
      prototype: object;
    };
  };
}

/** Runs in the page. */
async function callClient(asked: {
  method: string;
  given: Record<string, unknown>;
  options: Record<string, unknown>;
}): Promise<Outcome> {
  const told = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(told);
    if (!(value instanceof ArrayBuffer)) return value;
    const letters = Array.from(new Uint8Array(value), (byte) => String.fromCharCode(byte));
    const part = value as unknown as { contentType?: string; transferSyntaxUID?: string };
    return {
      bytes: btoa(letters.join('')),
      mediaType: part.contentType ?? null,
      transferSyntax: part.transferSyntaxUID ?? null,
    };
  };
  const refused: number[] = [];
  const { DICOMwebClient } = (window as unknown as { DICOMwebClient: Library }).DICOMwebClient.api;
  const client = new DICOMwebClient({
    verbose: false,
    errorInterceptor: ({ status }: { status: number }) => refused.push(status),
    ...asked.options,
  });
  const given = { ...asked.given };
  if (Array.isArray(given.datasets))
    given.datasets = given.datasets.map(
      (file) => Uint8Array.from(atob(file as string), (letter) => letter.charCodeAt(0)).buffer,
    );
  try {
    const method = client[asked.method];
    if (!method) throw new Error(`The client has no ${asked.method}.`);
    return { value: told(await method.call(client, given)), refused };
  } catch (error) {
    if (refused.length === 0) throw error;
    return { value: null, refused };
  }
}
