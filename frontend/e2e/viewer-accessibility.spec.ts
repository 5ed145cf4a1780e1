/** The viewer for everyone: axe on each of its states, by keyboard alone, with large text, and in forced colours. */
import AxeBuilder from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';
import { cellAt, readState, waitForPixels } from './cells';
import { ACCOUNT } from './journey';
import { doubleText, findLayoutFaults } from './layout';
import { alternative, expect, middleGrey, openViewer, place, test } from './viewerJourney';

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** All rules in dark colours, in light ones those that depend on colours; of a part of the page where only that is new. */
async function expectNoFindings(page: Page, part = 'body') {
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    // Not even for a moment: texts would be of one scheme and their ground of the other.
    const changing = await page.evaluate(
      () => document.getAnimations().filter((one) => one instanceof CSSTransition).length,
    );
    expect(changing, 'colours that fade').toBe(0);
    const builder = new AxeBuilder({ page }).include(part);
    const { violations } = await (
      colorScheme === 'dark' ? builder.withTags(TAGS) : builder.withRules(['color-contrast'])
    ).analyze();
    const found = violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]);
    expect(found, `${part}, ${colorScheme}`).toEqual([]);
  }
}

const sliderOf = (page: Page, name: string) =>
  page.getByRole('slider', { name: new RegExp(`${name} plane`) });
/** Until then it is only on the page: a journey that ended would leave what it made to the next one. */
const stored = (page: Page, method: 'PUT' | 'DELETE') =>
  page.waitForResponse(
    (answer) => answer.request().method() === method && answer.url().includes('/measurements/'),
  );

/** Draws a length with keys alone; it is kept when this returns. */
async function drawLength(page: Page, meanwhile = () => Promise.resolve()) {
  await page.keyboard.press('l');
  await place(page).locator('.well').focus();
  for (const key of ['Enter', 'Enter', 'Shift+ArrowRight']) await page.keyboard.press(key);
  await meanwhile();
  const isKept = stored(page, 'PUT');
  await page.keyboard.press('Enter');
  await isKept;
  return place(page).getByRole('button', { name: /^Length/ });
}

async function deleteShape(page: Page, shape: Locator) {
  const isGone = stored(page, 'DELETE');
  await shape.focus();
  await page.keyboard.press('Delete');
  await expect(shape).toHaveCount(0);
  await isGone;
}

const dialogOf = (page: Page) => page.getByRole('dialog');

test.describe('axe finds nothing', () => {
  // To look at all of a page takes some seconds, and they do so a dozen times.
  test.slow();

  test('around a picture, in each panel and dialog', async ({ page, running }) => {
    await openViewer(page, `/viewer/${running.uids.head}`);
    await expectNoFindings(page);
    for (const [key, name] of [
      ['t', 'Attributes'],
      ['/', 'Why this slice?'],
      ['k', 'Measurements'],
    ] as const) {
      await page.keyboard.press(key);
      await expect(page.getByRole('complementary', { name })).toBeVisible();
      await expectNoFindings(page, 'aside');
    }
    await page.keyboard.press('Escape');
    for (const open of [
      () => page.keyboard.press('?'),
      () => page.getByRole('button', { name: 'Save', exact: true }).click(),
    ]) {
      await open();
      await expect(dialogOf(page)).toBeVisible();
      await expectNoFindings(page, 'dialog[open]');
      await page.keyboard.press('Escape');
      await expect(dialogOf(page)).toHaveCount(0);
    }
    await page.keyboard.press('g');
    await page.keyboard.press('3');
    await expect(page.getByText('Empty').first()).toBeVisible();
    await expectNoFindings(page, '.grid');
  });

  test('while a measurement is drawn and edited', async ({ page, running }) => {
    await openViewer(page, `/viewer/${running.uids.head}`);
    const shape = await drawLength(page, () => expectNoFindings(page, '.cell'));
    await shape.focus();
    await page.keyboard.press('F2');
    await expect(page.getByRole('textbox', { name: /Name of/ })).toBeFocused();
    await expectNoFindings(page, 'aside');
    await page.keyboard.press('Escape');
    await shape.focus();
    await expectNoFindings(page, '.cell');
    await deleteShape(page, shape);
  });

  test('in the planes, in what is refused, and in the log-in again', async ({ page, running }) => {
    const { head, damaged } = running.uids;
    await openViewer(page, `/viewer/${head}`);
    await page.keyboard.press('x');
    await expect(sliderOf(page, 'coronal')).toBeVisible();
    await expectNoFindings(page, '.grid');
    await page.goto(`/viewer/${damaged}`);
    await expect(place(page).getByRole('alert')).toBeVisible();
    await expectNoFindings(page, '.cell');
    await page.goto('/viewer/1.2.3.4');
    await expect(place(page).getByRole('alert')).toBeVisible();
    await expectNoFindings(page, '.cell');
    await page.goto(`/viewer/${head}`);
    await waitForPixels(cellAt(page));
    await page.context().clearCookies();
    await page.route(/\/(volumes|measurements|slice|patient|auth\/me)/, (route) =>
      route.fulfill({
        status: 401,
        contentType: 'application/problem+json',
        headers: { 'Access-Control-Allow-Origin': '*' },
        body: JSON.stringify({ code: 'session_ended', status: 401, title: 'Ended', request_id: 'r' }),
      }),
    );
    await page
      .getByRole('navigation', { name: 'Series' })
      .getByRole('button', { name: /Head 5 mm/ })
      .click();
    await expect(page.getByRole('alertdialog', { name: 'Log in again' })).toBeVisible();
    await expectNoFindings(page);
    await expect(page.getByLabel('User name')).toHaveValue(ACCOUNT.username);
  });
});

test.describe('by keyboard alone', () => {
  test('arrows with Shift do what dragging does', async ({ page, running }) => {
    const cell = await openViewer(page, `/viewer/${running.uids.head}`);
    await page.keyboard.press('w');
    await page.keyboard.press('Shift+ArrowRight');
    await expect(place(page)).toContainText('W 282 L 128');
    await page.keyboard.press('Shift+ArrowDown');
    await expect(place(page)).toContainText('W 282 L 156');
    await page.keyboard.press('p');
    await page.keyboard.press('Shift+ArrowRight');
    await expect.poll(async () => (await readState(cell)).view.pan[0]).toBeLessThan(0);
    await page.keyboard.press('z');
    await page.keyboard.press('Shift+ArrowUp');
    await expect.poll(async () => (await readState(cell)).view.zoom).toBeGreaterThan(1.1);
    expect((await readState(cell)).view.index).toBe(5);
  });

  test('one click of the hand tool moves a place into the middle', async ({ page, running }) => {
    const cell = await openViewer(page, `/viewer/${running.uids.head}`);
    await page.keyboard.press('p');
    const { x, y, width, height } = (await cell.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
    const side = Math.min(width, height);
    // The bright block of 8 × 8 pixels in the upper left corner.
    await page.mouse.click(x + width / 2 - side / 2 + side / 16, y + height / 2 - side / 2 + side / 16);
    await expect.poll(() => middleGrey(cell)).toBe(250);
  });

  test('planes are cut, scrolled and thickened', async ({ page, running }) => {
    await openViewer(page, `/viewer/${running.uids.head}`);
    await page.keyboard.press('x');
    const [axial, coronal] = [sliderOf(page, 'axial'), sliderOf(page, 'coronal')];
    await expect(axial).toHaveAttribute('aria-valuenow', '6');
    await page.keyboard.press('Shift+Digit2');
    await expect(coronal).toBeFocused();
    const before = Number(await coronal.getAttribute('aria-valuenow'));
    await page.keyboard.press('ArrowDown');
    await expect(coronal).toHaveAttribute('aria-valuenow', String(before + 1));
    await expect(page.getByTestId('announcer')).toContainText('Coronal');
    for (let n = 0; n < 3; n++) await page.keyboard.press(']');
    await expect(page.getByRole('spinbutton', { name: 'Thickness of the slab in mm' })).toHaveValue('3');
    await expect(page).toHaveURL(/layout=planes&point=.*&slab=3$/);
    // The address is that of exactly these planes.
    await page.reload();
    await expect(page.getByRole('spinbutton', { name: 'Thickness of the slab in mm' })).toHaveValue('3');
    await expect(coronal).toHaveAttribute('aria-valuenow', String(before + 1));
  });

  test('focus is always to be seen, goes in the order of the page, and stays out of what is hidden', async ({
    page,
    running,
  }) => {
    await openViewer(page, `/viewer/${running.uids.head}`);
    const shape = await drawLength(page);
    await page.reload();
    await waitForPixels(cellAt(page));
    await expect(shape).toBeVisible();
    const seen: string[] = [];
    await page.locator('body').evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    for (let n = 0; n < 60; n++) {
      await page.keyboard.press('Tab');
      const find = () =>
        page.evaluate(() => {
          const element = document.activeElement as HTMLElement;
          if (!element || element === document.body) return '';
          const { outlineStyle, outlineWidth } = getComputedStyle(element);
          const { width, height, top, left } = element.getBoundingClientRect();
          // What lies over the picture covers as little of it as may be: a measurement's line becomes broader.
          const halo = element.matches('[data-measurement]') ? element.querySelector('.halo') : null;
          const hasRing = halo
            ? parseFloat(getComputedStyle(halo).strokeWidth) >= 7
            : outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2;
          const isThere = width > 0 && height > 0 && top > -1 && left > -1;
          const name = element.getAttribute('aria-label') ?? element.textContent?.trim() ?? '';
          const why = `NOT SEEN (${outlineStyle} ${outlineWidth}, ${left} ${top} ${width} ${height}): `;
          return `${hasRing && isThere ? '' : why}${name.slice(0, 30)}`;
        });
      await expect.poll(find).not.toMatch(/^NOT SEEN/);
      const found = await find();
      if (found === '' || (seen.length > 3 && found === seen[0])) break;
      seen.push(found);
    }
    const order = [
      'Back',
      'Account of',
      'Scroll',
      'Shortcuts',
      'Head',
      'CT',
      'Length',
      'Slice',
      'Soft',
      'Width',
      'Cine',
    ];
    const places = order.map((name) => seen.findIndex((one) => one.includes(name)));
    expect(places, seen.join(' | ')).toEqual([...places].sort((a, b) => a - b));
    expect(places).not.toContain(-1);
    await deleteShape(page, shape);
  });
});

test('a voice hears what the picture is, which tool is in hand, and where one came to rest', async ({
  page,
  running,
}) => {
  await openViewer(page, `/viewer/${running.uids.head}`);
  await expect(alternative(page)).toHaveAccessibleName('CT Head 2.5 mm, axial, slice 6 of 11, whole window');
  const announcer = page.getByTestId('announcer');
  await expect(announcer).toHaveAttribute('aria-live', 'polite');
  await page.keyboard.press('z');
  await expect(announcer).toHaveText('Zoom in hand');
  await page.keyboard.press('ArrowDown');
  await expect(announcer).toHaveText('slice 7 of 11, −5.0 mm');
  await page.keyboard.press('2');
  await expect(alternative(page)).toHaveAccessibleName(/slice 7 of 11, lung window/);
});

for (const [what, width, height, isLarge] of [
  ['text of 200 %', 1280, 900, true],
  ['text of 200 % on a phone', 360, 740, true],
  ['a page at 400 %', 320, 256, false],
  ['a page at 200 %', 640, 512, false],
] as const) {
  test(`with ${what} nothing is cut off or covered`, async ({ page, running }) => {
    await page.setViewportSize({ width, height });
    await openViewer(page, `/viewer/${running.uids.head}`);
    if (isLarge) await doubleText(page);
    const check = async (state: string) => {
      await expect.poll(() => findLayoutFaults(page), { message: state }).toEqual([]);
    };
    await check('picture');
    const box = await cellAt(page).boundingBox();
    expect(Math.min(box?.width ?? 0, box?.height ?? 0), 'the picture').toBeGreaterThan(90);
    await page.keyboard.press('k');
    await check('measurements');
    await page.keyboard.press('/');
    await check('why');
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await check('shortcuts');
    await page.keyboard.press('Escape');
    await page.keyboard.press('x');
    await expect(sliderOf(page, 'axial')).toBeVisible();
    await check('planes');
  });
}

test('a phone keeps the focus out of what a panel or the strip covers', async ({ page, running }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await openViewer(page, `/viewer/${running.uids.head}`);
  const well = place(page).locator('.well');
  const focused = () => page.evaluate(() => document.activeElement?.closest('.grid') !== null);
  for (const [key, part] of [
    ['k', page.getByRole('complementary', { name: 'Measurements' })],
    ['j', page.getByRole('navigation', { name: 'Series' })],
  ] as const) {
    await page.keyboard.press(key);
    await expect(part).toBeVisible();
    for (let n = 0; n < 30; n++) {
      await page.keyboard.press('Tab');
      expect(await focused(), `after ${n} times Tab`).toBe(false);
    }
    await page.keyboard.press('Escape');
    await expect(part).toHaveCount(0);
    await well.focus();
    await expect(well).toBeFocused();
  }
  await page.keyboard.press('j');
  await page.mouse.click(340, 400);
  await expect(page.getByRole('navigation', { name: 'Series' })).toHaveCount(0);
});

test('beside a panel the picture and its slider stay in sight on a tablet', async ({ page, running }) => {
  await page.setViewportSize({ width: 768, height: 1024 });
  await openViewer(page, `/viewer/${running.uids.head}`);
  await page.keyboard.press('k');
  const panel = page.getByRole('complementary', { name: 'Measurements' });
  await expect(panel.getByRole('heading')).toBeFocused();
  await expect.poll(() => findLayoutFaults(page)).toEqual([]);
  await page.keyboard.press('ArrowDown');
  await expect(page.getByRole('slider')).toHaveAttribute('aria-valuenow', '7');
});

test('forced colours and reduced motion leave everything to be seen', async ({ page, running }) => {
  await page.emulateMedia({ forcedColors: 'active', reducedMotion: 'reduce' });
  const cell = await openViewer(page, `/viewer/${running.uids.head}`);
  expect(await middleGrey(cell), 'pictures keep their greys').toBe(20 + 15 * 5);
  const fill = (name: string) =>
    page.getByRole('button', { name, exact: true }).evaluate((element) => {
      const { backgroundColor, borderColor, outlineStyle } = getComputedStyle(element);
      return `${backgroundColor} ${borderColor} ${outlineStyle}`;
    });
  expect(await fill('Window'), 'the tool in hand differs').not.toBe(await fill('Zoom'));
  await expect(place(page).locator('.thumb')).toBeVisible();
  expect(await findLayoutFaults(page)).toEqual([]);
  const moving = await page.evaluate(
    () =>
      document.getAnimations().filter((one) => Number(one.effect?.getComputedTiming().duration) > 1).length,
  );
  expect(moving).toBe(0);
});
