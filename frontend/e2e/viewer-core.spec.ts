/** The engine of the viewer on a real series: pixels, wheel, windows by drag, jumps while loading, and bad lines. */
import type { Page, Route } from '@playwright/test';
import { cellAt, meanGrey, readState, waitForPixels } from './cells';
import { createAccount, expect, getToken, logIn, Stack, test as base, waitForIndex } from './journey';
import { CORPUS } from './stack';

interface Opened {
  stack: Stack;
  series: string;
}

const test = base.extend<object, { ct: Opened }>({
  ct: [
    // eslint-disable-next-line no-empty-pattern -- Playwright asks for a pattern
    async ({}, use) => {
      const stack = await Stack.start();
      stack.copyCorpus('ct_philips_phantom');
      await createAccount(stack);
      await waitForIndex(stack, 1);
      const headers = { Authorization: `Bearer ${await getToken(stack)}` };
      const answer = await fetch(`${stack.apiUrl}/volumes`, { headers });
      const { volumes } = (await answer.json()) as { volumes: { series_instance_uid: string }[] };
      await use({ stack, series: volumes[0]?.series_instance_uid ?? '' });
      await stack.stop();
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  baseURL: ({ ct }, use) => use(ct.stack.webUrl),
});

test.skip(!CORPUS, 'needs the corpus');

const FRAMES = /\/volumes\/[^/]+\/frames/;

async function openViewer(page: Page, { series }: Opened): Promise<void> {
  await logIn(page);
  await page.goto(`/viewer/${series}`);
}

test('the middle slice comes first, and then all others', async ({ page, ct }) => {
  await openViewer(page, ct);
  const cell = cellAt(page);
  const first = await waitForPixels(cell);
  expect(first.slice).toMatchObject({ index: 10, rows: 512, columns: 512, unit: 'HU', modality: 'CT' });
  expect(await meanGrey(cell)).toBeGreaterThan(5);
  await expect.poll(async () => (await readState(cell)).progress.loaded).toBe(21);
  const marks = await page.evaluate(() => performance.getEntriesByType('mark').map(({ name }) => name));
  expect(marks.filter((name) => name === 'viewer:pixels')).toHaveLength(1);
  expect(marks.filter((name) => name === 'viewer:complete')).toHaveLength(1);
});

test('the wheel scrolls slice by slice, and stops at the ends', async ({ page, ct }) => {
  await openViewer(page, ct);
  const cell = cellAt(page);
  await waitForPixels(cell);
  await cell.hover();
  for (let i = 0; i < 4; i++) await page.mouse.wheel(0, 100);
  await waitForPixels(cell, 14);
  for (let i = 0; i < 3; i++) await page.mouse.wheel(0, -100);
  await waitForPixels(cell, 11);
  for (let i = 0; i < 30; i++) await page.mouse.wheel(0, 100);
  await waitForPixels(cell, 20);
});

test('other buttons zoom and move the picture', async ({ page, ct }) => {
  await openViewer(page, ct);
  const cell = cellAt(page);
  await waitForPixels(cell);
  const { x, y, width, height } = (await cell.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  const drag = async (button: 'middle' | 'right', across: number, down: number) => {
    await page.mouse.move(x + width / 2, y + height / 2);
    await page.mouse.down({ button });
    await page.mouse.move(x + width / 2 + across, y + height / 2 + down, { steps: 5 });
    await page.mouse.up({ button });
  };
  await drag('right', 0, -60);
  const zoomed = await readState(cell);
  expect(zoomed.view.zoom).toBeGreaterThan(1.3);
  await drag('middle', 50, 30);
  const { view, scale } = await readState(cell);
  expect(view.pan[0] * scale).toBeCloseTo(zoomed.view.pan[0] * scale - 50, 0);
  expect(view.pan[1] * scale).toBeCloseTo(zoomed.view.pan[1] * scale - 30, 0);
});

test('a drag changes the window, in the picture too', async ({ page, ct }) => {
  await openViewer(page, ct);
  const cell = cellAt(page);
  const before = await waitForPixels(cell);
  expect(before.slice?.window).toMatchObject({ center: 40, width: 80, source: 'file' });
  const grey = await meanGrey(cell);
  await cell.evaluate((element) =>
    (element as HTMLElement & { imageCell: { dragWindow(x: number, y: number): void } }).imageCell.dragWindow(
      0,
      -60,
    ),
  );
  const { slice } = await readState(cell);
  expect(slice?.window?.source).toBe('set');
  expect(slice?.window?.center).toBeLessThan(0);
  expect(await meanGrey(cell)).toBeGreaterThan(grey + 0.5);
});

test('the value under the cursor is in HU', async ({ page, ct }) => {
  await openViewer(page, ct);
  const cell = cellAt(page);
  await waitForPixels(cell);
  const { x, y, width, height } = (await cell.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  const probe = await cell.evaluate(
    (element, [left, top]) =>
      (element as HTMLElement & { imageCell: { probe(x: number, y: number): unknown } }).imageCell.probe(
        left ?? 0,
        top ?? 0,
      ),
    [x + width / 2, y + height / 2],
  );
  // The phantom is about water in its middle.
  expect(probe).toMatchObject({ unit: 'HU' });
  const { value, storedValue } = probe as { value: number; storedValue: number };
  expect(Math.abs(value)).toBeLessThan(150);
  expect(storedValue - value).toBe(1024);
});

test('a jump while loading goes first, and what is far is given up', async ({ page, ct }) => {
  const asked: number[] = [];
  const held: Route[] = [];
  await page.route(FRAMES, async (route) => {
    asked.push(Number(new URL(route.request().url()).searchParams.get('first')));
    held.push(route);
  });
  await openViewer(page, ct);
  const cell = cellAt(page);
  await expect.poll(() => held.length).toBe(3);
  expect(asked[0]).toBe(8); // slice 10 of the grid of 8
  await cell.hover();
  for (let i = 0; i < 12; i++) await page.mouse.wheel(0, 100);
  const { shownIndex, isLoading } = await readState(cell);
  expect([shownIndex, isLoading]).toEqual([null, true]);
  for (const route of held.splice(0)) await route.continue().catch(() => undefined);
  await page.unroute(FRAMES);
  await waitForPixels(cell, 20);
});

test('five seconds without a line, and loading goes on by itself', async ({ page, ct, context }) => {
  await page.route(FRAMES, async (route) => {
    await context.setOffline(true);
    await route.abort('internetdisconnected');
  });
  await openViewer(page, ct);
  const cell = cellAt(page);
  await expect.poll(async () => (await readState(cell)).progress.isOffline).toBe(true);
  await page.unroute(FRAMES);
  await page.waitForTimeout(5000);
  expect((await readState(cell)).shownIndex).toBeNull();
  await context.setOffline(false);
  await waitForPixels(cell);
  await expect.poll(async () => (await readState(cell)).progress.loaded).toBe(21);
  expect((await readState(cell)).progress.isOffline).toBe(false);
});

test('a server that fails for good is a clear state, and another try helps', async ({ page, ct }) => {
  const problem = { code: 'internal', title: 'Internal', status: 404, detail: 'Why.', request_id: '1' };
  await page.route(FRAMES, (route) =>
    route.fulfill({
      status: 404,
      contentType: 'application/problem+json',
      headers: { 'Access-Control-Allow-Origin': '*' },
      body: JSON.stringify(problem),
    }),
  );
  await openViewer(page, ct);
  const cell = cellAt(page);
  await expect.poll(async () => ((await readState(cell)).problem as Error | null)?.message).toBe('Why.');
  expect((await readState(cell)).shownIndex).toBeNull();
  await page.unroute(FRAMES);
  await cell.evaluate((element) =>
    (element as HTMLElement & { imageCell: { retry(): void } }).imageCell.retry(),
  );
  await waitForPixels(cell);
});
