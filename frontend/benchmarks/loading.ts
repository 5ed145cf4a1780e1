/** How long a person waits after following a link, and where the data came from. */
import { gzipSync } from 'node:zlib';
import type { CDPSession, Page, Response } from '@playwright/test';
import { readDrawn } from './drawn';

const COMPLETE_MS = 300_000;

export interface Traffic {
  /** Answers with frames, and how many of them the browser had already. */
  frames: number;
  framesFromCache: number;
}

/** Counts answers with frames until it is stopped. */
export async function watchTraffic(page: Page): Promise<{ stop: () => Promise<Traffic> }> {
  const session: CDPSession = await page.context().newCDPSession(page);
  const traffic: Traffic = { frames: 0, framesFromCache: 0 };
  await session.send('Network.enable');
  session.on('Network.responseReceived', ({ response, type }) => {
    if (type === 'Preflight' || !/\/frames(\?|\/)/.test(response.url)) return;
    traffic.frames++;
    if (response.fromDiskCache) traffic.framesFromCache++;
  });
  return { stop: () => session.detach().then(() => traffic) };
}

export interface Marks {
  route: number;
  preview: number;
  pixels: number;
  complete: number;
}

/** The viewer's marks, in ms since the document was asked for. */
export async function readMarks(page: Page): Promise<Marks> {
  await page.waitForFunction(() => performance.getEntriesByName('viewer:complete').length > 0, undefined, {
    timeout: COMPLETE_MS,
    polling: 50,
  });
  return page.evaluate(() => {
    const at = (name: string) => performance.getEntriesByName(name)[0]?.startTime ?? NaN;
    return {
      route: at('viewer:route'),
      preview: at('viewer:preview'),
      pixels: at('viewer:pixels'),
      complete: at('viewer:complete'),
    };
  });
}

/**
 * Opens another viewer by a link that ends in its first picture, of which nothing is known but what it asks the server
 * for: one address with `/frames/` for each slice. Returns ms from the link to the first picture and to the last frame.
 */
export async function openPeer(
  page: Page,
  url: string,
  slices: number,
): Promise<{ first: number; last: number }> {
  const asked = new Set<string>();
  let last = 0;
  const began = Date.now();
  const note = (response: Response) => {
    if (!/\/frames\/\d/.test(response.url())) return;
    void response.finished().then(() => {
      asked.add(response.url());
      last = Date.now() - began;
    });
  };
  page.on('response', note);
  await page.goto(url, { waitUntil: 'commit' });
  const end = Date.now() + COMPLETE_MS;
  while (asked.size < slices && Date.now() < end) await page.waitForTimeout(50);
  page.off('response', note);
  if (asked.size < slices) throw new Error(`The peer asked for ${asked.size} of ${slices} frames.`);
  return { first: (await readDrawn(page)).firstMs ?? NaN, last };
}

/** Collects the scripts that a page loads; their size after gzip, in kB, however the server sent them. */
export function watchScripts(page: Page): { kilobytes: () => Promise<number> } {
  const scripts = new Map<string, Response>();
  page.on('response', (response) => {
    if (response.request().resourceType() === 'script') scripts.set(response.url(), response);
  });
  const size = async (response: Response) => gzipSync(await response.body()).length / 1000;
  return {
    kilobytes: async () => {
      const sizes = await Promise.all([...scripts.values()].map((one) => size(one).catch(() => 0)));
      return sizes.reduce((sum, one) => sum + one, 0);
    },
  };
}
