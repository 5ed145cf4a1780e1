import { mkdirSync, renameSync, rmSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { createAccount, logIn } from './journey';
import {
  ALL,
  expect,
  filters,
  grid,
  names,
  openList,
  pages,
  preview,
  rows,
  searchBox,
  Stack,
  startWithStudies,
  test,
  waitForStudies,
} from './studyList';

async function expectNoFindings(page: Page, without: string[] = []) {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .disableRules(without)
    .analyze();
  expect(violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)])).toEqual([]);
}

const shows = (page: Page, text: string) => expect(pages(page)).toContainText(text);
const heading = (page: Page, name: string | RegExp) => page.getByRole('heading', { name });

test('an empty folder is said to be empty, and studies appear as files are put in', async ({ page }) => {
  const stack = await Stack.start();
  try {
    await createAccount(stack);
    await openList(page, `${stack.webUrl}/studies`);
    await expect(heading(page, 'No studies yet')).toBeVisible();
    await expect(page.getByText('Put some in; this page will notice.')).toBeVisible();
    await expectNoFindings(page);
    stack.writeStudies(0, 10);
    await expect(rows(page)).toHaveCount(19, { timeout: 60_000 });
    await shows(page, '1–19 of 19');
    await expect(page.getByRole('button', { name: 'Show', exact: true })).toHaveCount(0);

    // Older studies have their place behind: they come by themselves, and no row moves.
    await rows(page).nth(12).hover();
    const before = await names(page).allTextContents();
    stack.writeStudies(10, 60);
    await expect(pages(page)).toContainText('1–50 of 79', { timeout: 60_000 });
    expect((await names(page).allTextContents()).slice(0, 19)).toEqual(before);
    await waitForStudies(stack, 79);
  } finally {
    await stack.stop();
  }
});

test('new studies wait for whoever reads the list', async ({ page }) => {
  const stack = await startWithStudies(0);
  try {
    await openList(page, `${stack.webUrl}/studies?sort=patient_name`);
    await shows(page, '1–9 of 9');
    await rows(page).nth(4).hover();
    const before = await names(page).allTextContents();
    stack.writeStudies(100, 12); // "Sample" comes before "Wolfe…", "Words", "Yamada"
    await expect(page.getByText('12 new studies came in.')).toBeVisible({ timeout: 60_000 });
    await shows(page, 'of 21');
    expect(await names(page).allTextContents()).toEqual(before);
    await expectNoFindings(page);
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    await expect(rows(page)).toHaveCount(21);
    await expect(page.getByText('12 new studies came in.')).toHaveCount(0);
  } finally {
    await stack.stop();
  }
});

test('a server that goes leaves what is shown, marked as old; one that comes back is noticed', async ({
  page,
  running,
}) => {
  test.slow();
  await openList(page);
  await shows(page, `of ${ALL}`);
  await running.stack.stopApi();
  try {
    await page.evaluate(() => dispatchEvent(new Event('online')));
    await expect(page.getByText(/cannot be reached\. These studies are as of \d/)).toBeVisible();
    await expect(rows(page)).toHaveCount(50);
    await expect(grid(page)).toHaveClass(/old/);
    await expectNoFindings(page);
    // Rows that would answer another question are not shown.
    await searchBox(page).fill('yamada');
    await expect(heading(page, /The image server at .* cannot be reached/)).toBeVisible();
    await expect(rows(page)).toHaveCount(0);
    await expectNoFindings(page);
  } finally {
    await running.stack.startApi();
  }
  await page.getByRole('button', { name: 'Try again' }).click();
  await shows(page, '1–2 of 2');
  await expect(grid(page)).not.toHaveClass(/old/);
});

test('an offline computer is told, and the list goes on afterwards', async ({ page, context }) => {
  await openList(page);
  await shows(page, `of ${ALL}`);
  await context.setOffline(true);
  // At the beginning: small pictures that were on their way say it, too, further on in their words.
  const told = page.getByText(/^This computer is offline\./);
  await expect(told).toBeVisible();
  await expect(rows(page)).toHaveCount(50);
  await context.setOffline(false);
  await expect(told).toHaveCount(0);
});

test('a folder that is gone is told; what is known stays', async ({ page }) => {
  const stack = await startWithStudies(3);
  const away = `${stack.data} away`;
  try {
    await openList(page, `${stack.webUrl}/studies`);
    await shows(page, '1–12 of 12');
    renameSync(stack.data, away);
    const told = page.getByRole('status').getByText('The data directory cannot be read just now.');
    await expect(told).toBeVisible({ timeout: 60_000 });
    await expect(rows(page)).toHaveCount(12);
    await expectNoFindings(page);
    renameSync(away, stack.data);
    await expect(told).toHaveCount(0, { timeout: 60_000 });
    await shows(page, '1–12 of 12');
  } finally {
    rmSync(away, { recursive: true, force: true });
    mkdirSync(stack.data, { recursive: true });
    await stack.stop();
  }
});

test('a slow first answer shows the rows that will be filled, then that it takes a while', async ({
  page,
}) => {
  let answer = () => {};
  const isLookedAt = new Promise<void>((done) => (answer = done));
  await page.route(/\/studies\?/, async (route) => {
    await isLookedAt;
    await route.continue().catch(() => {});
  });
  await openList(page);
  await expect(grid(page)).toHaveAttribute('aria-busy', 'true');
  await expect(page.getByRole('progressbar', { name: 'Asking for the studies' })).toBeVisible();
  await expectNoFindings(page);
  answer();
  await shows(page, `of ${ALL}`);
  await expect(page.getByRole('progressbar')).toHaveCount(0);
});

test('an error of the server gives its number, and can be tried again', async ({ page }) => {
  await logIn(page);
  await page.route(/:\d+\/studies\?/, (route) =>
    route.fulfill({
      status: 500,
      contentType: 'application/problem+json',
      headers: { 'Access-Control-Allow-Origin': new URL(page.url()).origin },
      body: JSON.stringify({ status: 500, code: 'internal', title: 'x', detail: 'x', request_id: 'abc123' }),
    }),
  );
  await page.goto('/studies');
  await expect(page.getByRole('alert')).toContainText('abc123');
  await page.unroute(/:\d+\/studies\?/);
  await page.getByRole('button', { name: 'Try again' }).click();
  await shows(page, `of ${ALL}`);
});

for (const colorScheme of ['dark', 'light'] as const) {
  test.describe(`in ${colorScheme} colours`, () => {
    test.use({ colorScheme });

    test('axe finds nothing in the list, its filters, its preview, and without a match', async ({ page }) => {
      test.slow();
      await openList(page, '/studies?size=25');
      await expect(rows(page)).toHaveCount(25);
      await expectNoFindings(page);
      for (const name of ['Modality', 'Date', 'Verdict']) {
        await filters(page).getByRole('button', { name, exact: true }).click();
        await expectNoFindings(page);
        await page.keyboard.press('Escape');
      }
      await rows(page).first().focus();
      await page.keyboard.press('Space');
      await expect(preview(page).getByText('Series (2)')).toBeVisible();
      await expectNoFindings(page);
      for (const [width, height] of [
        [800, 900],
        [360, 800],
      ] as const) {
        await page.setViewportSize({ width, height });
        await expect(preview(page).getByText('Series (2)')).toBeVisible();
        await expectNoFindings(page);
      }
      await searchBox(page).fill('nobody at all');
      await expect(heading(page, 'No study matches')).toBeVisible();
      await expectNoFindings(page);
    });
  });
}

for (const [width, height] of [
  [320, 640],
  [360, 225], // 1440 × 900 at 400 %
  [720, 450], // and at 200 %
  [768, 1024],
  [1024, 768],
] as const) {
  for (const direction of ['ltr', 'rtl'] as const) {
    test(`nothing scrolls sideways or is too small at ${width} × ${height}, ${direction}`, async ({
      page,
    }) => {
      await page.setViewportSize({ width, height });
      await openList(page, '/studies?modality=CT&modality=MR&modality=US&date=year&verdict=single_image');
      await page.evaluate((dir) => (document.documentElement.dir = dir), direction);
      await filters(page).getByRole('button', { name: 'Remove the filter Date' }).click();
      await expect(rows(page).first()).toBeVisible();
      const expectNoSideways = async () => {
        const outside = await page.evaluate((available) => {
          if (document.documentElement.scrollWidth <= available) return [];
          return [...document.querySelectorAll('body *')]
            .filter((one) => {
              const { left, right } = one.getBoundingClientRect();
              return right > available || left < 0;
            })
            .map((one) => one.outerHTML.slice(0, 120));
        }, width);
        expect(outside).toEqual([]);
      };
      await expectNoSideways();
      await filters(page)
        .getByRole('button', { name: /^Modality/ })
        .click();
      await expectNoSideways();
      await page.keyboard.press('Escape');
      await rows(page).first().focus();
      await page.keyboard.press('Space');
      await expect(preview(page)).toBeVisible();
      await expectNoSideways();
      const small = await page.locator('button, a, select, input').evaluateAll((elements) =>
        elements
          .filter((element) => element.checkVisibility({ checkVisibilityCSS: true }) && element.tabIndex >= 0)
          .map((element) => ({ html: element.outerHTML.slice(0, 80), box: element.getBoundingClientRect() }))
          .filter(({ box }) => box.width > 1 && (box.height < 23.5 || box.width < 23.5))
          .map(({ html, box }) => `${html} ${box.width}×${box.height}`),
      );
      expect(small).toEqual([]);
    });
  }
}

test('a narrow page shows cards with name, date, modality and description', async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 800 });
  await openList(page);
  const card = rows(page).first();
  for (const text of ['Yamada, Tarou', '2026-06-30', 'CT Head', 'Volume']) {
    await expect(card.getByText(text, { exact: true })).toBeVisible();
  }
  await card.getByText('CT Head').click();
  await expect(preview(page).getByRole('link', { name: 'Open in the viewer' })).toBeVisible();
  const [above, below] = [await card.boundingBox(), await preview(page).boundingBox()];
  expect(below?.y).toBeGreaterThanOrEqual((above?.y ?? 0) + (above?.height ?? 0) - 1);
  await page.getByRole('combobox', { name: 'Order' }).selectOption('Patient');
  await expect(page).toHaveURL(/sort=-patient_name/);
});

test('dates are never cut, and 20 studies fit on a screen of 1440 × 900', async ({ page }) => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await openList(page);
  await expect(rows(page)).toHaveCount(50);
  const bottom = await rows(page).nth(19).boundingBox();
  expect((bottom?.y ?? 0) + (bottom?.height ?? 0)).toBeLessThanOrEqual(900);
  for (const width of [1440, 1100, 1024, 768]) {
    await page.setViewportSize({ width, height: 900 });
    const cut = await page
      .locator('.study_date')
      .evaluateAll((all) => all.filter((one) => one.scrollWidth > one.clientWidth + 1).length);
    expect(cut, `${width}`).toBe(0);
  }
});

test('forced colours and reduced motion leave everything visible', async ({ page }) => {
  await page.emulateMedia({ forcedColors: 'active', reducedMotion: 'reduce' });
  await openList(page);
  await rows(page).first().focus();
  await page.keyboard.press('Space');
  await expect(preview(page).getByText('Series (2)')).toBeVisible();
  // Forced colours are the system's own; axe calculates with the page's.
  await expectNoFindings(page, ['color-contrast']);
});
