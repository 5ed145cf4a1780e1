/**
 * The viewer under measurement, with the real API and a made-up CT of 300 slices: `npm run bench:viewer`.
 *
 * `BENCH_SLICES` is another number of slices. `BENCH_PEER` is the link by which another viewer opens the same series; it
 * is measured in the same run, by the same means. docs/benchmarks.md says how.
 */
import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { chromium, expect, test, type Browser, type Page } from '@playwright/test';
import { ACCOUNT, createAccount, fillLogIn, waitForIndex } from '../e2e/journey';
import { Stack } from '../e2e/stack';
import settings from '../playwright.config';
import { countDrawn, readDrawn } from './drawn';
import { openPeer, readMarks, watchScripts, watchTraffic } from './loading';
import { BareBrowser } from './bareBrowser';
import { readMemory, readProcessorSeconds } from './processes';
import { Report } from './report';
import { measureWheel } from './wheel';

const SLICES = Number(process.env.BENCH_SLICES ?? 300);
const PEER = process.env.BENCH_PEER;
const BACKEND = resolve(import.meta.dirname, '../../backend');
const PYTHON = process.env.IMAGESERVER_PYTHON ?? resolve(BACKEND, '../.venv/bin/python');
const RAW_BYTES = SLICES * 512 * 512 * 2;
const MIB = 1024 * 1024;
const SIZE = { width: 1280, height: 800 };
/**
 * As Chromium starts where there is no graphics card: the page is put together by the processor, WebGL drawn by it. The
 * journeys force both through the same emulated card, which takes 40 ms of the processor for each frame of any page.
 */
const ARGUMENTS = ['--no-sandbox', '--disable-dev-shm-usage', '--enable-unsafe-swiftshader'];

const ours = new Report();
const theirs = new Report();
let stack: Stack;
let series: string;

test.beforeAll(async () => {
  test.setTimeout(600_000);
  stack = await Stack.start();
  const made = execFileSync(PYTHON, ['-m', 'benchmarks.synthetic', join(stack.data, 'ct'), String(SLICES)], {
    cwd: BACKEND,
    encoding: 'utf8',
  });
  series = (JSON.parse(made) as { series: string }).series;
  await createAccount(stack);
  await waitForIndex(stack, 1);
});

test.afterAll(async () => {
  ours.print(`The viewer, ${SLICES} slices of 512 x 512 x 16 bits`);
  if (PEER) {
    theirs.print('The peer');
    for (const { name, value } of theirs.figures) {
      const mine = ours.value(name);
      if (mine && value > 0)
        console.log(`${`${name}: ours / peer's`.padEnd(60)}${(mine / value).toFixed(2)}`);
    }
  }
  await stack?.stop();
});

/** A browser with a cache on the disk, as people have it: that of a private window is too small for a series. */
async function withBrowser(name: string, work: (browser: Browser, page: Page) => Promise<void>) {
  const options = { ...settings.use?.launchOptions, args: ARGUMENTS, viewport: SIZE, locale: 'en-GB' };
  const context = await chromium.launchPersistentContext(join(stack.folder, name), options);
  const page = context.pages()[0] ?? (await context.newPage());
  const browser = context.browser();
  if (!browser) throw new Error('The browser cannot be asked about its processes.');
  await countDrawn(page);
  await work(browser, page).finally(() => context.close());
}

test('the viewer', async () => {
  await withBrowser('browser', async (browser, page) => {
    await page.goto(stack.webUrl);
    await fillLogIn(page);
    await expect(page.getByRole('button', { name: 'Show image' })).toBeVisible();
    const spent = await readProcessorSeconds(browser);

    const scripts = watchScripts(page);
    const link = `${stack.webUrl}/viewer/${series}`;
    await page.goto(link, { waitUntil: 'commit' });
    const first = await readMarks(page);
    ours.add('processor time until then', (await readProcessorSeconds(browser)) - spent, 's');
    ours.add("link to the server's picture", first.preview, 'ms');
    ours.add('link to the first picture', (await readDrawn(page)).firstMs ?? NaN, 'ms');
    ours.add('link to all slices', first.complete, 'ms', 4700);
    ours.add("route to the server's picture", first.preview - first.route, 'ms', 500);
    ours.add('route to its own pixels', first.pixels - first.route, 'ms', 2000);
    ours.add('route to all slices', first.complete - first.route, 'ms');
    ours.add('script (gzip)', await scripts.kilobytes(), 'kB');

    await addWheel(ours, browser, page);

    await page.goto('about:blank');
    const traffic = await watchTraffic(page);
    await page.goto(link, { waitUntil: 'commit' });
    const again = await readMarks(page);
    const { frames, framesFromCache } = await traffic.stop();
    ours.add('again: route to its own pixels', again.pixels - again.route, 'ms');
    ours.add('again: route to all slices', again.complete - again.route, 'ms');
    ours.add('again: frames from the cache', (100 * framesFromCache) / Math.max(frames, 1), '%', 100, true);

    await page.goto(`${stack.webUrl}/studies`);
    await page.locator('a[href^="/viewer/"]').first().click();
    const inside = await readMarks(page);
    ours.add("from the list: route to the server's picture", inside.preview - inside.route, 'ms', 500);
    ours.add('from the list: route to its own pixels', inside.pixels - inside.route, 'ms', 2000);
    await measureLogOut(page);
  });
});

async function addWheel(report: Report, browser: Browser, page: Page): Promise<void> {
  const spent = await readProcessorSeconds(browser);
  const { pictures, seconds } = await measureWheel(page, SIZE.width / 2, SIZE.height / 2);
  const taken = (await readProcessorSeconds(browser)) - spent;
  report.add('pictures a second under the wheel', pictures / seconds, '/s', 30, true);
  report.add('  processor time for a picture', (1000 * taken) / Math.max(pictures, 1), 'ms');
}

/** The answer to log-out asks the browser to clear its cache: how long that takes when a series is in it. */
async function measureLogOut(page: Page): Promise<void> {
  const seconds = await page.evaluate(async (api) => {
    const began = performance.now();
    const answer = await fetch(`${api}/auth/logout`, { method: 'POST', credentials: 'include' });
    return answer.status === 204 ? performance.now() - began : NaN;
  }, stack.apiUrl);
  ours.add('log-out, with the series in the cache', seconds, 'ms');
}

test("memory of the viewer's page", async () => {
  const browser = await BareBrowser.start(join(stack.folder, 'bare'), ARGUMENTS, SIZE);
  await browser.open(`${stack.webUrl}/login`);
  await browser.waitFor('document.querySelector("form") !== null');
  const form = JSON.stringify(ACCOUNT);
  await browser.evaluate(
    `fetch('${stack.apiUrl}/auth/token', {method: 'POST', credentials: 'include', body: new URLSearchParams(${form})})`,
  );
  await browser.open(`${stack.webUrl}/dashboard`);
  await browser.waitFor('document.querySelector("main button") !== null');
  const before = readMemory(await browser.processes());
  await browser.open(`${stack.webUrl}/viewer/${series}`);
  await browser.waitFor('performance.getEntriesByName("viewer:complete").length > 0');
  const after = readMemory(await browser.processes());
  ours.add('memory of the page', after.page / MIB, 'MiB');
  ours.add('  beyond the dashboard, by the raw size', (after.page - before.page) / RAW_BYTES, 'x', 2);
  ours.add('memory of the drawing process', after.drawing / MIB, 'MiB');
  await browser.stop();
});

test('the peer', async () => {
  test.skip(!PEER, 'BENCH_PEER names no other viewer');
  await withBrowser('peer', async (browser, page) => {
    const spent = await readProcessorSeconds(browser);
    const scripts = watchScripts(page);
    const { first, last } = await openPeer(page, PEER ?? '', SLICES);
    theirs.add('processor time until then', (await readProcessorSeconds(browser)) - spent, 's');
    theirs.add('link to the first picture', first, 'ms');
    theirs.add('link to all slices', last, 'ms');
    theirs.add('script (gzip)', await scripts.kilobytes(), 'kB');
    await addWheel(theirs, browser, page);
  });
});

test("memory of the peer's page", async () => {
  test.skip(!PEER, 'BENCH_PEER names no other viewer');
  const browser = await BareBrowser.start(join(stack.folder, 'bare peer'), ARGUMENTS, SIZE);
  await browser.open(PEER ?? '');
  const frames =
    "performance.getEntriesByType('resource').filter(({ name }) => name.includes('/frames/')).length";
  await browser.waitFor(`performance.setResourceTimingBufferSize(10000), ${frames} >= ${SLICES}`);
  const after = readMemory(await browser.processes());
  theirs.add('memory of the page', after.page / MIB, 'MiB');
  theirs.add('memory of the drawing process', after.drawing / MIB, 'MiB');
  await browser.stop();
});
