import AxeBuilder from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';
import {
  ACCOUNT,
  expect,
  logIn,
  patientPanel,
  picture,
  readPicture,
  showImage,
  showName,
  test,
} from './journey';

async function expectNoFindings(page: Page, without: string[] = []) {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .disableRules(without)
    .analyze();
  expect(violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)])).toEqual([]);
}

for (const colorScheme of ['dark', 'light'] as const) {
  test.describe(`in ${colorScheme} colours`, () => {
    test.use({ colorScheme });

    test('axe finds nothing on the pages before log-in', async ({ page }) => {
      await page.goto('/login');
      await page.getByRole('button', { name: 'Log in' }).click();
      await expectNoFindings(page);
      await page.goto('/setup');
      await expectNoFindings(page);
      await page.goto('/setup#code=abc');
      await expect(page.getByLabel('Password again', { exact: true })).toBeVisible();
      await expectNoFindings(page);
      await page.goto('/no/such/page');
      await expectNoFindings(page);
    });

    test('axe finds nothing on the dashboard, empty and full', async ({ page, running }) => {
      await logIn(page);
      await expectNoFindings(page);
      await showName(page);
      await showImage(page);
      await expect(patientPanel(page)).toContainText('Yamada');
      await expect(picture(page)).toBeVisible();
      await page.getByText('Why this slice?').click();
      await page.getByText('As the file writes it').click();
      await expectNoFindings(page);
      await page.getByRole('button', { name: /Account of/ }).click();
      await expectNoFindings(page);
      await page.getByRole('button', { name: 'Change password…' }).click();
      await expectNoFindings(page);
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Choose from 4' }).click();
      await expect(page.getByRole('dialog').getByRole('listitem')).toHaveCount(4);
      await expectNoFindings(page);
      await page.goto(`/dashboard?series=${running.uids.damaged}`);
      await showImage(page);
      await expect(page.getByRole('alert')).toBeVisible();
      await expectNoFindings(page);
      await page.goto('/problems');
      await expect(page.getByText('damaged/898.dcm')).toBeVisible();
      await expectNoFindings(page);
    });
  });
}

/** What reaches beyond the sides of the window, on pages that run in either direction. */
async function expectNothingOutside(page: Page) {
  const outside = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    return [...document.querySelectorAll('body *')]
      .filter((one) => {
        const { left, right } = one.getBoundingClientRect();
        return left < -1 || right > clientWidth + 1;
      })
      .map((one) => one.outerHTML.slice(0, 120));
  });
  expect(outside).toEqual([]);
}

const turnRound = (page: Page) => page.evaluate(() => (document.documentElement.dir = 'rtl'));

for (const [width, height] of [
  [1440, 900],
  [360, 740],
] as const) {
  test(`pages turn round for languages that run from right to left, pictures do not (${width})`, async ({
    page,
    running,
  }) => {
    await page.setViewportSize({ width, height });
    await page.goto('/login');
    await turnRound(page);
    await expectNothingOutside(page);
    await logIn(page);
    await turnRound(page);
    await showName(page);
    await showImage(page);
    await expect(picture(page)).toBeVisible();
    await expectNothingOutside(page);
    const box = async (locator: Locator) => {
      const found = await locator.boundingBox();
      if (!found) throw new Error('nothing there');
      return found;
    };
    const [name, image] = [page.getByRole('button', { name: 'Show patient name' }), picture(page)];
    expect((await box(name)).x).toBeGreaterThan(
      (await box(page.getByRole('button', { name: 'Show image' }))).x,
    );
    // The patient's right stays on the left of the picture (PS3.3 C.7.6.2.1.1), and so does the bright corner.
    const well = page.getByRole('group', { name: 'Picture' });
    expect((await box(well.getByText('R', { exact: true }))).x).toBeLessThan((await box(image)).x);
    expect((await readPicture(page)).corner).toBe(250);
    expect(await image.evaluate((element) => getComputedStyle(element).transform)).toBe('none');
    // A name keeps its own direction and takes no part in that of the sentence around it.
    await expect(patientPanel(page).locator('bdi').first()).toHaveText('Yamada, Tarou');
    await page.getByRole('button', { name: /Account of/ }).click();
    await expectNothingOutside(page);

    await page.getByRole('link', { name: 'Studies' }).click();
    await expect(page.getByText('Yamada, Tarou').first()).toBeVisible();
    await expectNothingOutside(page);
    await page.goto('/problems');
    await turnRound(page);
    await expect(page.getByText('damaged/898.dcm')).toBeVisible();
    await expectNothingOutside(page);
    await page.goto('/account/tokens');
    await turnRound(page);
    await expectNothingOutside(page);
    await page.getByRole('button', { name: 'Make a token…' }).click();
    await expectNothingOutside(page);
    await page.goto(`/viewer/${running.uids.head}`);
    await turnRound(page);
    await expect(page.getByText('Yamada, Tarou').first()).toBeVisible();
    await expect(page.locator('canvas').first()).toBeVisible();
    await expectNothingOutside(page);
  });
}

test('the whole journey works by keyboard', async ({ page }) => {
  await page.goto('/');
  await expect(page.getByLabel('User name')).toBeFocused();
  await page.keyboard.type(ACCOUNT.username);
  await page.keyboard.press('Tab');
  await page.keyboard.type(ACCOUNT.password);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('heading', { name: 'Dashboard' })).toBeFocused();

  await expect(page.getByRole('button', { name: /^Choose from/ })).toBeVisible();
  const order = [
    page.getByRole('button', { name: /^Choose from/ }),
    page.getByRole('link', { name: '1 file could not be used.' }),
    page.getByRole('button', { name: 'Show patient name' }),
    page.getByRole('button', { name: 'Show image' }),
  ];
  for (const control of order) {
    await page.keyboard.press('Tab');
    await expect(control).toBeFocused();
  }
  await page.keyboard.press('Space');
  await expect(page.getByRole('group', { name: 'Picture' })).toBeFocused();
  await page.keyboard.press('PageDown');
  await expect(page.getByTestId('announcer')).toHaveText('Slice 11 of 11, ordered by position');
  await page.keyboard.press('n');
  await expect(patientPanel(page)).toContainText('Yamada');

  await page.getByRole('button', { name: /Account of/ }).focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await expect(page.getByRole('checkbox')).toBeFocused();
  await page.keyboard.press('Space');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('button', { name: /Account of/ })).toBeFocused();
  await page.reload();
  await expect(page.getByRole('button', { name: 'Show image' })).toBeVisible();
  await page.keyboard.press('i');
  await expect(page.getByRole('button', { name: 'Show image' }), 'keys are switched off').toHaveAttribute(
    'aria-busy',
    'false',
  );
  await expect(picture(page)).toHaveCount(0);

  await page.getByRole('button', { name: 'Log out', exact: true }).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByLabel('User name')).toBeFocused();
});

test('the skip link leads over the header', async ({ page }) => {
  await logIn(page);
  await page.reload();
  await expect(page.getByRole('button', { name: /^Choose from/ })).toBeVisible();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to the content' })).toBeFocused();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await expect(page.getByRole('button', { name: /^Choose from/ })).toBeFocused();
});

for (const [width, height] of [
  [320, 640],
  [360, 225], // 1440 × 900 at 400 %
  [768, 1024],
] as const) {
  test(`nothing scrolls sideways at ${width} × ${height}`, async ({ page, running }) => {
    await page.setViewportSize({ width, height });
    const expectNoSideways = async () => {
      // Against the width that was asked for: a page that is too wide can make its own viewport wider.
      const outside = await page.evaluate((available) => {
        if (document.documentElement.scrollWidth <= available) return [];
        const all = [...document.querySelectorAll('body *')];
        return all
          .filter((one) => one.getBoundingClientRect().right > available)
          .map((one) => one.outerHTML.slice(0, 120));
      }, width);
      expect(outside).toEqual([]);
    };
    await page.goto('/login');
    await page.getByRole('button', { name: 'Log in' }).click();
    await expectNoSideways();
    await page.getByLabel('User name').fill('nobody');
    await page.getByLabel('Password', { exact: true }).fill('wrong');
    await page.getByRole('button', { name: 'Log in' }).click();
    await expect(page.getByRole('alert')).toBeVisible();
    await expectNoSideways();
    await logIn(page);
    await showName(page);
    await showImage(page);
    await expect(picture(page)).toBeVisible();
    await page.getByText('Why this slice?').click();
    await page.getByText('As the file writes it').click();
    await expectNoSideways();
    await page.goto(`/dashboard?series=${running.uids.damaged}`);
    await showImage(page);
    await expect(page.getByRole('alert')).toBeVisible();
    await expectNoSideways();
    await page.goto('/problems');
    await expect(page.getByText('damaged/898.dcm')).toBeVisible();
    await expectNoSideways();
    await page.goto('/account/tokens');
    await page.getByRole('button', { name: 'Make a token…' }).click();
    await expectNoSideways();
    await page.goto('/no/such/page');
    await expectNoSideways();
  });
}

test('targets are at least 24 pixels large', async ({ page }) => {
  await logIn(page);
  await showName(page);
  await showImage(page);
  await expect(picture(page)).toBeVisible();
  const small = await page.locator('button, a, summary, input, select').evaluateAll((elements) =>
    elements
      .filter((element) => element.checkVisibility())
      .map((element) => ({ html: element.outerHTML.slice(0, 80), box: element.getBoundingClientRect() }))
      .filter(({ box }) => box.width > 1 && (box.height < 23.5 || box.width < 23.5))
      .map(({ html, box }) => `${html} ${box.width}×${box.height}`),
  );
  expect(small.filter((text) => !text.includes('checkbox'))).toEqual([]);
});

test('forced colours and reduced motion leave everything visible', async ({ page }) => {
  await page.emulateMedia({ forcedColors: 'active', reducedMotion: 'reduce' });
  await logIn(page);
  await showName(page);
  await showImage(page);
  await expect(picture(page)).toBeVisible();
  await expect(page.getByRole('button', { name: 'Show image' })).toBeVisible();
  // Forced colours are the system's own; axe calculates with the page's.
  await expectNoFindings(page, ['color-contrast']);
});
