import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { cellAt, readState, waitForPixels } from './cells';
import { createAccount, fillLogIn, Stack, test as journey, waitForIndex } from './journey';
import { CORPUS, expect, middleGrey, openViewer, place, test, viewerTest } from './viewerJourney';
import type { Page } from '@playwright/test';

async function open(page: Page, address: string) {
  await page.goto(address);
  await fillLogIn(page);
}

for (const [what, uid, words] of [
  ['is gone', '1.2.3.4', 'This series is not, or no longer, in the data directory.'],
  ['is no series at all', 'not-a-uid', 'The address names no valid series.'],
] as const) {
  test(`a link to what ${what} keeps the frame and says so`, async ({ page }) => {
    await open(page, `/viewer/${uid}?slice=3`);
    const alert = place(page).getByRole('alert');
    await expect(alert).toContainText(words);
    await expect(alert).toContainText(uid);
    await expect(page.getByText('Not for diagnosis')).toBeVisible();
    await alert.getByRole('link', { name: 'To the list of studies' }).click();
    await expect(page).toHaveURL(/\/studies/);
  });
}

test('a slice that cannot be decoded is named, and its neighbours are offered', async ({ page, running }) => {
  await open(page, `/viewer/${running.uids.damaged}`);
  const alert = place(page).getByRole('alert');
  await expect(alert).toContainText('Slice 3 of 5 cannot be shown');
  await alert.getByRole('button', { name: 'Slice 4' }).click();
  await waitForPixels(cellAt(page), 3);
  expect(await middleGrey(cellAt(page))).toBe(103);
  await expect(page.getByTestId('badges')).toContainText('1 slice failed');
  await page.keyboard.press('ArrowUp');
  await expect(alert).toContainText('Slice 3 of 5 cannot be shown');
});

test('the server’s pictures scroll where the pixels cannot be drawn here', async ({ page, running }) => {
  await page.addInitScript(() => {
    HTMLCanvasElement.prototype.getContext = () => null;
    // @ts-expect-error -- a browser that can draw nothing
    delete globalThis.OffscreenCanvas;
  });
  await page.route(/\/_app\/immutable\/chunks\/.*\.js/, async (route) => {
    const answer = await route.fetch();
    const text = await answer.text();
    // The chunk of the drawing module is the one that names its library.
    await route.fulfill({
      response: answer,
      body: /RenderingEngine/.test(text) ? 'throw new Error("no")' : text,
    });
  });
  await open(page, `/viewer/${running.uids.head}`);
  await expect(page.getByText('the server draws the pictures')).toBeVisible();
  const picture = page.getByTestId('server-picture');
  await expect(picture).toBeVisible();
  await page.keyboard.press('ArrowDown');
  await expect(place(page)).toContainText('7 / 11');
  await page.keyboard.press('2');
  await expect(place(page)).toContainText('W 1500 L −600');
  await expect(picture).toBeVisible();
});

test('a server that fails is told, and what it then gives is shown without a click', async ({
  page,
  running,
}) => {
  const fail = {
    status: 500,
    contentType: 'application/problem+json',
    body: '{"code":"internal","request_id":"r-1"}',
  };
  await page.route('**/volumes/*/frames?*', (route) => route.fulfill(fail));
  await page.route('**/slice?*', (route) => route.fulfill(fail));
  await open(page, `/viewer/${running.uids.head}`);
  const alert = place(page).getByRole('alert');
  await expect(alert).toBeVisible();
  await page.unroute('**/volumes/*/frames?*');
  await page.unroute('**/slice?*');
  await waitForPixels(cellAt(page), 5);
  await expect(alert).toHaveCount(0);
});

test('text from a file is only ever text, and pixels keep their proportion', async ({ page, running }) => {
  await openViewer(page, `/viewer/${running.uids.hostile}`, 0);
  await expect(page.getByRole('region', { name: 'Patient' })).toContainText('<script>alert(1)</script>');
  await expect(place(page)).toContainText('<b>bold</b>');
  await expect(place(page)).toContainText('1 × 2 mm');
  await expect(page.getByRole('slider')).toHaveCount(0);
  expect((await readState(cellAt(page))).count).toBe(1);
});

test.describe('with odd series', () => {
  const odd = journey.extend<object, { series: ReturnType<Stack['writeBadInput']> }>({
    running: [
      // eslint-disable-next-line no-empty-pattern -- Playwright asks for a pattern
      async ({}, use) => {
        const stack = await Stack.start();
        const uids = stack.writeBadInput();
        await createAccount(stack);
        await waitForIndex(stack, Object.keys(uids).length - 1); // all but the report
        await use({ stack, uids: uids as never });
        await stack.stop();
      },
      { scope: 'worker', timeout: 120_000 },
    ],
    series: [({ running }, use) => use(running.uids as never), { scope: 'worker' }],
  });
  /** So little memory that a few dozen of 300 small slices fit. */
  const haveLittleMemory = (page: Page) =>
    page.addInitScript(() => Object.defineProperty(navigator, 'deviceMemory', { get: () => 0.002 }));
  const badges = (page: Page) => page.getByTestId('badges');

  odd('a series beyond the memory is asked about, then scrolls from end to end', async ({ page, series }) => {
    await haveLittleMemory(page);
    await open(page, `/viewer/${series.many}?slice=150`);
    await expect(place(page)).toContainText('This series takes');
    await expect(badges(page)).toContainText('Preview');
    await page.getByRole('button', { name: 'Keep near slices only' }).click();
    for (const [key, index] of [
      ['Home', 0],
      ['End', 299],
    ] as const) {
      await page.keyboard.press(key);
      await waitForPixels(cellAt(page), index);
      expect(await middleGrey(cellAt(page))).toBe(20 + (index % 200));
      await expect(badges(page)).toContainText(/\d+ of 300 kept/);
    }
    expect((await readState(cellAt(page))).progress.loaded).toBeLessThan(100);
  });

  odd('the server draws a series beyond the memory where asked to', async ({ page, series }) => {
    await haveLittleMemory(page);
    await open(page, `/viewer/${series.many}?slice=150`);
    await page.getByRole('button', { name: 'Let the server draw' }).click();
    await expect(badges(page)).toContainText('Drawn by the server');
    await page.keyboard.press('End');
    await expect(place(page)).toContainText('300 / 300');
    await expect(page.getByTestId('server-picture')).toBeVisible();
  });

  odd('slices of several sizes are each shown whole', async ({ page, series }) => {
    const cell = await openViewer(page, `/viewer/${series.mixed}?slice=1`, 0);
    const sizes: [number, number][] = [
      [64, 64],
      [128, 96],
      [64, 64],
      [32, 200],
    ];
    for (const [index, [rows, columns]] of sizes.entries()) {
      if (index > 0) await page.keyboard.press('ArrowDown');
      const { slice, scale } = await waitForPixels(cell, index);
      expect([slice?.rows, slice?.columns]).toEqual([rows, columns]);
      expect(await middleGrey(cell)).toBe(60 + 40 * index);
      const { width, height } = (await cell.boundingBox()) ?? { width: 0, height: 0 };
      expect(columns * scale).toBeLessThanOrEqual(width + 1);
      expect(rows * scale).toBeLessThanOrEqual(height + 1);
    }
  });

  odd(
    'a window of no width is not used, and the one in its place is called a guess',
    async ({ page, series }) => {
      const cell = await openViewer(page, `/viewer/${series.zero}`, 0);
      await expect(badges(page)).toContainText('Window guessed');
      expect(await middleGrey(cell)).toBeGreaterThan(100);
      expect(await middleGrey(cell)).toBeLessThan(155);
    },
  );

  odd('pixels that are not decoded are refused by the name of their coding', async ({ page, series }) => {
    await open(page, `/viewer/${series.film}`);
    const alert = place(page).getByRole('alert');
    await expect(alert).toContainText('Slice 1 of 1 cannot be shown');
    await expect(alert).toContainText('1.2.840.10008.1.2.4.102');
  });

  odd('a series without pictures says so, and leads on', async ({ page, series }) => {
    await open(page, `/viewer/${series.report}`);
    await expect(place(page)).toContainText('This series has no pictures that can be shown.');
    await expect(place(page)).not.toContainText('1 / –');
    await expect(place(page).getByRole('button', { name: 'Try again' })).toHaveCount(0);
    await place(page).getByRole('link', { name: 'To the list of studies' }).click();
    await expect(page).toHaveURL(/\/studies/);
  });

  for (const name of ['long', 'arabic'] as const) {
    odd(`names that are ${name} push nothing off the page`, async ({ page, series }) => {
      await page.setViewportSize({ width: 360, height: 740 });
      await openViewer(page, `/viewer/${series[name]}`, 0);
      const words = name === 'long' ? 'W'.repeat(300) : 'محمد علي, عبد الرحمن';
      await expect(place(page)).toContainText(words);
      await expect(badges(page)).toBeInViewport();
      const width = () => page.evaluate(() => document.documentElement.scrollWidth);
      expect(await width()).toBe(360);
      await page.goto('/studies');
      await expect(page.getByText(words).first()).toBeVisible();
      expect(await width()).toBe(360);
    });
  }

  odd(
    'over a slow line nothing is blank without a word, and nothing is under a wrong number',
    async ({ page, series }) => {
      await open(page, `/viewer/${series.report}`); // the pages themselves are here then
      await expect(place(page)).toContainText('no pictures');
      let letGo: () => void = () => undefined;
      const held = new Promise<void>((resolve) => (letGo = resolve));
      await page.route('**/frames?*', async (route) => {
        await held;
        await route.continue();
      });
      await page.route(
        (url) => url.pathname === '/slice',
        async (route) => {
          await new Promise((later) => setTimeout(later, 1000));
          await route.continue();
        },
      );
      await page.goto(`/viewer/${series.mixed}?slice=3`);
      const waits = place(page).getByRole('progressbar', { name: 'Asking for the picture' });
      await expect(waits).toBeVisible();
      await expect(badges(page)).toContainText('Preview');
      await expect(place(page)).toContainText('3 / 4');
      await expect(waits).toHaveCount(0);
      await page.keyboard.press('Home');
      await expect(waits).toBeVisible();
      await expect(place(page)).toContainText('3 / 4'); // what is still to be seen
      letGo();
      await waitForPixels(cellAt(page), 0);
      await expect(place(page)).toContainText('1 / 4');
      await expect(waits).toHaveCount(0);
    },
  );

  odd('a series that is removed while it is looked at is told as gone', async ({ page, running, series }) => {
    await haveLittleMemory(page);
    await open(page, `/viewer/${series.removed}?slice=150`);
    await page.getByRole('button', { name: 'Keep near slices only' }).click();
    await waitForPixels(cellAt(page), 149);
    rmSync(join(running.stack.data, 'removed'), { recursive: true });
    await page.keyboard.press('End');
    const alert = place(page).getByRole('alert');
    await expect(alert).toContainText('This series is not, or no longer, in the data directory.', {
      timeout: 30_000,
    });
    await expect(alert).toContainText(series.removed);
    expect((await readState(cellAt(page))).shownIndex).toBeNull();
  });
});

test.describe('with real files', () => {
  test.skip(!CORPUS, 'needs the corpus');
  const real = viewerTest('colour/examples_palette.dcm');

  real('no spacing: no mm, no scale, and 1:1 is refused with its reason', async ({ page }) => {
    await openViewer(page, '/viewer/1.3.46.670589.14.1000.210.3.199999.20110525182826.1.0', 0);
    await expect(place(page)).toContainText('No spacing in the file: no mm');
    await page.keyboard.press('0');
    await expect(page.getByTestId('announcer')).toHaveText(/does not tell how large a pixel is/);
  });
});
