import { cellAt, readState, waitForPixels } from './cells';
import { fillLogIn } from './journey';
import { CORPUS, expect, middleGrey, openViewer, place, viewerTest } from './viewerJourney';
import type { Page } from '@playwright/test';

const test = viewerTest();

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
