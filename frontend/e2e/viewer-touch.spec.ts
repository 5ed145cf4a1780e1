/** The viewer on a phone: one finger, two fingers, and everything within reach of a thumb. */
import type { CDPSession, Page } from '@playwright/test';
import { readState, waitForPixels } from './cells';
import { expect, middleGrey, openViewer, place, test } from './viewerJourney';

test.use({ hasTouch: true, isMobile: true, viewport: { width: 360, height: 740 } });

type Point = readonly [x: number, y: number];

/** Fingers on the glass. */
class Fingers {
  private constructor(private readonly session: CDPSession) {}

  static async on(page: Page): Promise<Fingers> {
    return new Fingers(await page.context().newCDPSession(page));
  }

  /** Puts fingers down at the first places, takes them along and lifts them. */
  async drag(...ways: { from: Point; to: Point }[]): Promise<void> {
    const steps = 6;
    const at = (part: number) =>
      ways.map(({ from, to }, id) => ({
        x: from[0] + (to[0] - from[0]) * part,
        y: from[1] + (to[1] - from[1]) * part,
        id,
      }));
    // One after the other, as people do.
    for (let n = 1; n <= ways.length; n++) await this.#send('touchStart', at(0).slice(0, n));
    for (let step = 1; step <= steps; step++) await this.#send('touchMove', at(step / steps));
    await this.#send('touchEnd', []);
  }

  async #send(type: 'touchStart' | 'touchMove' | 'touchEnd', touchPoints: { x: number; y: number }[]) {
    await this.session.send('Input.dispatchTouchEvent', { type, touchPoints });
  }
}

async function middleOf(page: Page): Promise<Point> {
  const { x, y, width, height } = (await place(page).locator('.well').boundingBox()) ?? {
    x: 0,
    y: 0,
    width: 0,
    height: 0,
  };
  return [x + width / 2, y + height / 2];
}

test('one finger goes through the slices', async ({ page, running }) => {
  const cell = await openViewer(page, `/viewer/${running.uids.head}`, 5);
  const fingers = await Fingers.on(page);
  const [x, y] = await middleOf(page);
  await fingers.drag({ from: [x, y - 60], to: [x, y + 60] });
  await expect.poll(async () => (await readState(cell)).view.index).toBeGreaterThan(6);
  const { view } = await waitForPixels(cell);
  expect(await middleGrey(cell)).toBe(20 + 15 * view.index);
  await fingers.drag({ from: [x, y + 100], to: [x, y - 200] });
  await waitForPixels(cell, 0);
  expect((await readState(cell)).view, 'nothing else changed').toMatchObject({ zoom: 1, pan: [0, 0] });
  expect(await page.evaluate(() => [scrollX, scrollY, visualViewport?.scale])).toEqual([0, 0, 1]);
});

test('two fingers zoom and move, and the page stays as it is', async ({ page, running }) => {
  const cell = await openViewer(page, `/viewer/${running.uids.head}`, 5);
  const fingers = await Fingers.on(page);
  const [x, y] = await middleOf(page);
  await fingers.drag({ from: [x - 40, y], to: [x - 120, y] }, { from: [x + 40, y], to: [x + 120, y] });
  await expect.poll(async () => (await readState(cell)).view.zoom).toBeCloseTo(3, 1);
  const { pan } = (await readState(cell)).view;
  expect(Math.hypot(...pan)).toBeLessThan(1);
  await fingers.drag({ from: [x - 40, y], to: [x, y + 50] }, { from: [x + 40, y], to: [x + 80, y + 50] });
  await expect.poll(async () => (await readState(cell)).view.pan[1]).toBeLessThan(-3);
  const { view } = await readState(cell);
  expect([view.index, Math.round(view.zoom)]).toEqual([5, 3]);
  expect(await page.evaluate(() => visualViewport?.scale)).toBe(1);
  // The first finger alone goes on with the slices.
  await fingers.drag({ from: [x, y - 60], to: [x, y + 60] });
  await expect.poll(async () => (await readState(cell)).view.index).toBeGreaterThan(6);
});

test('fingers do the same where the server draws', async ({ page, running }) => {
  await page.addInitScript(() => Object.defineProperty(navigator, 'deviceMemory', { get: () => 0.0001 }));
  await page.goto(`/viewer/${running.uids.head}?slice=6`);
  await openServerPictures(page);
  const fingers = await Fingers.on(page);
  const [x, y] = await middleOf(page);
  await fingers.drag({ from: [x, y - 60], to: [x, y + 60] });
  await expect(place(page)).not.toContainText('6 / 11');
  const width = async () => (await page.getByTestId('server-picture').boundingBox())?.width ?? 0;
  const before = await width();
  await fingers.drag({ from: [x - 40, y], to: [x - 80, y] }, { from: [x + 40, y], to: [x + 80, y] });
  await expect.poll(width).toBeGreaterThan(1.8 * before);
});

async function openServerPictures(page: Page) {
  const { fillLogIn } = await import('./journey');
  await fillLogIn(page);
  await page.getByRole('button', { name: 'Let the server draw' }).tap();
  await expect(page.getByTestId('badges')).toContainText('Drawn by the server');
}

test('in portrait the picture has most of the page, and every control is large enough for a thumb', async ({
  page,
  running,
}) => {
  await openViewer(page, `/viewer/${running.uids.head}`, 5);
  const box = await place(page).boundingBox();
  expect(box?.width).toBe(360);
  expect(box?.height ?? 0).toBeGreaterThan(740 * 0.6);
  const bar = page.getByRole('group', { name: 'Main tools' });
  for (const button of await bar.getByRole('button').all()) {
    const { width, height } = (await button.boundingBox()) ?? { width: 0, height: 0 };
    expect(Math.min(width, height)).toBeGreaterThanOrEqual(44);
  }
  await bar.getByRole('button', { name: 'More' }).tap();
  const sheet = page.getByRole('dialog', { name: 'More' });
  await expect(sheet).toBeVisible();
  const small = await sheet
    .locator('button, input')
    .evaluateAll((all) =>
      all
        .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 43.5)
        .map((one) => one.outerHTML.slice(0, 100)),
    );
  expect(small).toEqual([]);
  await sheet.getByRole('button', { name: 'Lung' }).tap();
  await sheet.getByRole('button', { name: 'Close', exact: true }).tap();
  await expect(place(page)).toContainText('W 1500 L −600');
  await bar.getByRole('button', { name: 'Series' }).tap();
  await page
    .getByRole('navigation', { name: 'Series' })
    .getByRole('button', { name: /Head 5 mm/ })
    .tap();
  await expect(place(page)).toContainText('4 / 6');
});
