/** Measuring on images whose distances and values are known, and finding it again. */
import AxeBuilder from '@axe-core/playwright';
import type { Browser, Locator, Page } from '@playwright/test';
import type { ImageCell, ImagePoint } from '../src/lib/viewer/types';
import { cellAt, updateView, waitForPixels } from './cells';
import {
  ACCOUNT,
  createAccount,
  expect,
  fillLogIn,
  logIn,
  Stack,
  test as base,
  waitForIndex,
} from './journey';

interface Phantoms {
  stack: Stack;
  series: ReturnType<Stack['writeMeasuringData']>;
}

const OTHER = { username: 'bert', password: 'five loud summer evenings' };

const test = base.extend<object, { phantoms: Phantoms }>({
  phantoms: [
    // eslint-disable-next-line no-empty-pattern -- Playwright asks for a pattern
    async ({}, use) => {
      const stack = await Stack.start();
      const series = stack.writeMeasuringData();
      await createAccount(stack);
      stack.addUser(OTHER);
      await waitForIndex(stack, 4);
      await use({ stack, series });
      await stack.stop();
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  baseURL: ({ phantoms }, use) => use(phantoms.stack.webUrl),
});

/** A pixel of the screen is less than this on the image, at the size of the window of these journeys. */
const TOLERANCE_PX = 0.5;

const panelOf = (page: Page) => page.getByRole('complementary', { name: 'Measurements' });
const itemsOf = (page: Page) => panelOf(page).getByRole('listitem');
const jumpOf = (page: Page, name: string) => panelOf(page).getByRole('button', { name: `Show ${name}` });
const shapesOf = (page: Page) =>
  page.getByRole('group', { name: 'Measurements on this slice' }).getByRole('button');

async function open(page: Page, series: string, account = ACCOUNT): Promise<Locator> {
  if (page.url() === 'about:blank') await logIn(page, '/', account);
  await page.goto(`/viewer/${series}`);
  const cell = cellAt(page);
  await waitForPixels(cell);
  return cell;
}

async function openPanel(page: Page): Promise<void> {
  await page.keyboard.press('k');
  await expect(panelOf(page)).toBeVisible();
  // The picture makes room for the list: where its points are is known once it stands still.
  let before = '';
  await expect
    .poll(async () => {
      const now = JSON.stringify(await clientOf(cellAt(page), [0, 0]));
      const isStill = now === before;
      before = now;
      return isStill;
    })
    .toBe(true);
}

function clientOf(cell: Locator, point: ImagePoint): Promise<readonly [number, number]> {
  return cell.evaluate((element, at) => {
    const found = (element as HTMLElement & { imageCell?: ImageCell }).imageCell?.toClientPoint(at);
    if (!found) throw new Error('no picture');
    return found;
  }, point);
}

async function drag(page: Page, cell: Locator, from: ImagePoint, to: ImagePoint): Promise<void> {
  await page.mouse.move(...(await clientOf(cell, from)));
  await page.mouse.down();
  const [x, y] = await clientOf(cell, to);
  await page.mouse.move(x - 3, y - 3, { steps: 4 });
  await page.mouse.move(x, y);
  await page.mouse.up();
}

async function click(page: Page, cell: Locator, at: ImagePoint): Promise<void> {
  const [x, y] = await clientOf(cell, at);
  await page.mouse.move(x, y, { steps: 2 });
  await page.mouse.down();
  await page.mouse.up();
}

/** The first number of a text, such as "12.5 mm". */
const numberIn = (text: string | null) =>
  Number(
    /−?[\d,]+(\.\d+)?/
      .exec(text ?? '')?.[0]
      .replaceAll(',', '')
      .replace('−', '-'),
  );

async function valueOf(item: Locator): Promise<number> {
  return numberIn(await item.locator('.value').first().textContent());
}

async function saved(page: Page): Promise<void> {
  await expect(panelOf(page).getByText('All saved')).toBeVisible();
}

/** Leaves nothing behind for the next journey. */
async function removeAll(page: Page): Promise<void> {
  while ((await itemsOf(page).count()) > 0) {
    const count = await itemsOf(page).count();
    await itemsOf(page)
      .first()
      .getByRole('button', { name: /^Delete/ })
      .click();
    await expect(itemsOf(page)).toHaveCount(count - 1);
  }
  await page.waitForTimeout(1500); // the last one is saved, too
}

test.describe('a length', () => {
  test('is right, saves itself, and is there after a reload, on its slice and for its person only', async ({
    page,
    phantoms,
    browser,
  }) => {
    const cell = await open(page, phantoms.series.phantom);
    await openPanel(page);
    await expect(panelOf(page).getByText('Nothing measured yet.')).toBeVisible();
    await page.keyboard.press('l');
    // 80 columns of 0.5 mm and 40 rows of 0.8 mm: 40 mm and 32 mm
    await drag(page, cell, [40, 40], [120, 80]);
    await expect(itemsOf(page)).toHaveCount(1);
    const value = await valueOf(itemsOf(page).first());
    expect(Math.abs(value - Math.hypot(40, 32))).toBeLessThan(2 * TOLERANCE_PX * 0.8);
    await expect(shapesOf(page)).toHaveAccessibleName(/Length, \d+\.\d mm/);
    await saved(page);

    await page.reload();
    await waitForPixels(cell);
    await expect(shapesOf(page)).toHaveCount(1);
    await openPanel(page);
    expect(await valueOf(itemsOf(page).first())).toBe(value);
    await expect(itemsOf(page).getByText('Slice 3')).toBeVisible();

    const tab = await page.context().newPage();
    await tab.goto(page.url());
    await expect(shapesOf(tab), 'in a new tab, too').toHaveAccessibleName(/Length, \d+\.\d mm/);
    await tab.close();

    await page.keyboard.press('ArrowDown');
    await waitForPixels(cell, 3);
    await expect(shapesOf(page), 'nothing of another slice is drawn').toHaveCount(0);
    await jumpOf(page, 'Length').click();
    await waitForPixels(cell, 2);
    await expect(shapesOf(page)).toHaveCount(1);

    const stranger = await newPage(browser, phantoms);
    await open(stranger, phantoms.series.phantom, OTHER);
    await openPanel(stranger);
    await expect(panelOf(stranger).getByText('Nothing measured yet.')).toBeVisible();
    await stranger.context().close();
    await removeAll(page);
  });

  test('can be renamed, deleted and brought back, and stands in the table', async ({ page, phantoms }) => {
    const cell = await open(page, phantoms.series.phantom);
    await openPanel(page);
    await page.keyboard.press('l');
    await drag(page, cell, [20, 20], [60, 20]);
    await panelOf(page).getByRole('button', { name: 'Rename Length' }).click();
    await panelOf(page).getByRole('textbox', { name: 'Name of Length' }).fill('=病変 1');
    await page.keyboard.press('Enter');
    await expect(jumpOf(page, '=病変 1')).toBeFocused();
    await expect(shapesOf(page)).toHaveAccessibleName(/^=病変 1, 20\.\d mm/);
    await saved(page);

    const downloading = page.waitForEvent('download');
    await panelOf(page).getByRole('button', { name: 'Save as table (CSV)' }).click();
    const download = await downloading;
    expect(download.suggestedFilename()).toBe('measurements.csv');
    const { readFile } = await import('node:fs/promises');
    const [head, row, ...others] = (await readFile(await download.path(), 'utf8')).trimEnd().split('\r\n');
    expect(head).toContain('length (mm)');
    expect(row).toMatch(/^length,'=病変 1,(19|20)\.\d+,/);
    expect(others).toEqual([]);

    await shapesOf(page).focus();
    await page.keyboard.press('Delete');
    await expect(itemsOf(page)).toHaveCount(0);
    await page.keyboard.press('Control+z');
    await expect(jumpOf(page, '=病変 1')).toBeVisible();
    await saved(page);
    await page.keyboard.press('Control+Shift+z');
    await expect(itemsOf(page)).toHaveCount(0);
    await removeAll(page);
  });

  test('is in the picture that is saved, unless it is not wanted', async ({ page, phantoms }) => {
    const cell = await open(page, phantoms.series.phantom);
    await openPanel(page);
    await page.keyboard.press('l');
    await drag(page, cell, [40, 40], [120, 80]);
    await saved(page);
    const coloured = async (isWanted: boolean) => {
      await page.getByRole('button', { name: 'Save', exact: true }).click();
      const dialog = page.getByRole('dialog');
      await dialog.getByLabel('With what was measured on it').setChecked(isWanted);
      const downloading = page.waitForEvent('download');
      await dialog.getByRole('button', { name: 'Save PNG' }).click();
      const { readFile } = await import('node:fs/promises');
      const png = await readFile(await (await downloading).path(), 'base64');
      return page.evaluate(async (text) => {
        const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
        const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
        const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d');
        context?.drawImage(bitmap, 0, 0);
        const { data } = context?.getImageData(0, 0, bitmap.width, bitmap.height) ?? { data: [] };
        let count = 0;
        for (let i = 0; i < data.length; i += 4) if ((data[i + 2] ?? 0) - (data[i] ?? 0) > 40) count++;
        return count;
      }, png);
    };
    expect(await coloured(true)).toBeGreaterThan(300);
    expect(await coloured(false)).toBe(0);
    await removeAll(page);
  });

  test('is moved by its handles', async ({ page, phantoms }) => {
    const cell = await open(page, phantoms.series.phantom);
    await openPanel(page);
    await page.keyboard.press('l');
    await drag(page, cell, [20, 60], [60, 60]);
    await page.keyboard.press('w');
    await drag(page, cell, [60, 60], [120, 60]);
    await expect.poll(() => valueOf(itemsOf(page).first())).toBeGreaterThan(49);
    await drag(page, cell, [70, 60], [70, 90]);
    await expect.poll(() => valueOf(itemsOf(page).first())).toBeGreaterThan(49);
    await saved(page);
    await removeAll(page);
  });

  test('follows the picture when it is turned, flipped and zoomed', async ({ page, phantoms }) => {
    const cell = await open(page, phantoms.series.phantom);
    await openPanel(page);
    await updateView(cell, { rotation: 90, isFlippedHorizontally: true, zoom: 1.7, pan: [9, -5] });
    await page.keyboard.press('l');
    await drag(page, cell, [60, 50], [100, 50]);
    expect(Math.abs((await valueOf(itemsOf(page).first())) - 20)).toBeLessThan(TOLERANCE_PX);
    await removeAll(page);
  });
});

test.describe('other shapes', () => {
  test('tell angles, diameters and statistics', async ({ page, phantoms }) => {
    const cell = await open(page, phantoms.series.phantom);
    await openPanel(page);

    await page.keyboard.press('a');
    // 20 columns are 10 mm, 12.5 rows are 10 mm: 45° in the patient, 32° on the grid
    await drag(page, cell, [40, 40], [20, 40]);
    await click(page, cell, [40, 52.5]);
    await expect(itemsOf(page)).toHaveCount(1);
    expect(Math.abs((await valueOf(itemsOf(page).nth(0))) - 45)).toBeLessThan(2);

    await page.keyboard.press('c');
    await drag(page, cell, [20, 90], [60, 90]);
    await drag(page, cell, [20, 110], [60, 85]);
    await expect(itemsOf(page)).toHaveCount(2);
    // 40 columns are 20 mm, 25 rows are 20 mm: 45°
    expect(Math.abs((await valueOf(itemsOf(page).nth(1))) - 45)).toBeLessThan(2);

    await page.keyboard.press('b');
    await drag(page, cell, [90, 100], [140, 100]);
    await expect(itemsOf(page)).toHaveCount(3);
    await expect(itemsOf(page).nth(2)).toContainText(/2[45]\.\d mm × 12\.\d mm/);

    await page.keyboard.press('n');
    await drag(page, cell, [100, 20], [120, 10]);
    const name = panelOf(page).getByRole('textbox', { name: 'Name of Arrow' });
    await expect(name).toBeFocused();
    await page.keyboard.type('here');
    await page.keyboard.press('Enter');
    await expect(jumpOf(page, 'here')).toBeVisible();
    await saved(page);
    await removeAll(page);
  });

  test('statistics of regions are those of NumPy', async ({ page, phantoms }) => {
    const cell = await open(page, phantoms.series.phantom);
    await openPanel(page);
    await page.keyboard.press('q');
    // v = (r*7 + c*13) % 101 - 50 over (c >= 30.3) & (c <= 90.6) & (r >= 25.2) & (r <= 80.7):
    // n 3300, mean -0.0109, std 29.1316; 60.3 × 55.5 pixels of 0.4 mm² are 1338.66 mm²
    await drag(page, cell, [30.3, 25.2], [90.6, 80.7]);
    const lines = itemsOf(page).first().locator('.value');
    await expect(lines).toHaveText(['Mean −0.01091 HU, SD 29.13', '−50 to 50', /^Area 1,3[34]\d\.\d mm²$/]);
    await page.keyboard.press('Escape');
    await removeAll(page);

    await page.keyboard.press('e');
    // ((c - 60.45) / 30.15)**2 + ((r - 52.95) / 27.75)**2 <= 1: mean -0.077, std 28.993; 1051.4 mm²
    await drag(page, cell, [30.3, 25.2], [90.6, 80.7]);
    await expect(lines).toHaveText([
      /^Mean −0\.\d+ HU, SD (29|2[89]\.\d+)$/,
      '−50 to 50',
      /^Area 1,05\d\.\d mm²$/,
    ]);
    await removeAll(page);
  });
});

test.describe('units', () => {
  test('are pixels where the file tells no spacing, and it is said', async ({ page, phantoms }) => {
    const cell = await open(page, phantoms.series.unscaled);
    await openPanel(page);
    await page.keyboard.press('l');
    await drag(page, cell, [30, 40], [90, 40]);
    await expect(itemsOf(page).first()).toContainText(/(59|60)\.\d px/);
    await expect(itemsOf(page).first()).toContainText('In pixels: the image gives no millimetres here.');
    await expect(shapesOf(page)).toHaveAccessibleName(/the file gives no spacing/);
    await removeAll(page);
  });

  test('are those of the detector of a projection, and it is said', async ({ page, phantoms }) => {
    const cell = await open(page, phantoms.series.chest);
    await openPanel(page);
    await page.keyboard.press('l');
    await drag(page, cell, [30, 40], [80, 40]);
    await expect(itemsOf(page).first()).toContainText(/(9\.9|10\.\d) mm at the detector/);
    await expect(itemsOf(page).first()).toContainText('in the patient it is smaller');
    await removeAll(page);
  });

  test('are those of the region in ultrasound; the frame is found again', async ({ page, phantoms }) => {
    const cell = await open(page, phantoms.series.ultrasound);
    await openPanel(page);
    await page.keyboard.press('Home');
    await waitForPixels(cell, 0);
    await page.keyboard.press('l');
    await drag(page, cell, [10, 40], [50, 40]);
    await expect(itemsOf(page).first()).toContainText(/(19\.\d|20\.\d) mm/);
    await drag(page, cell, [100, 40], [140, 40]);
    await expect(itemsOf(page).nth(1)).toContainText(/(39|40)\.\d px/);
    await expect(shapesOf(page).nth(1)).toHaveAccessibleName(/time or velocity/);
    await saved(page);
    await page.keyboard.press('End');
    await waitForPixels(cell, 3);
    await expect(shapesOf(page)).toHaveCount(0);
    await page.reload();
    await waitForPixels(cell);
    await openPanel(page);
    await itemsOf(page).first().getByRole('button').first().click();
    await waitForPixels(cell, 0);
    await expect(shapesOf(page)).toHaveCount(2);
    await removeAll(page);
  });
});

test('two tabs of one person follow each other', async ({ page, phantoms }) => {
  const cell = await open(page, phantoms.series.phantom);
  await openPanel(page);
  const second = await page.context().newPage();
  await second.goto(`/viewer/${phantoms.series.phantom}`);
  await waitForPixels(cellAt(second));
  await openPanel(second);

  await page.bringToFront();
  await page.keyboard.press('l');
  await drag(page, cell, [20, 30], [80, 30]);
  await expect(itemsOf(second)).toHaveCount(1);

  await second.bringToFront();
  await panelOf(second).getByRole('button', { name: 'Rename Length' }).click();
  await panelOf(second).getByRole('textbox').fill('of the second tab');
  await second.keyboard.press('Enter');
  await expect(jumpOf(page, 'of the second tab')).toBeVisible();
  await panelOf(second).getByRole('button', { name: 'Delete of the second tab' }).click();
  await expect(itemsOf(page)).toHaveCount(0);
  await removeAll(second);
  await second.close();
});

test('without a connection nothing is lost, and leaving warns', async ({ page, context, phantoms }) => {
  const cell = await open(page, phantoms.series.phantom);
  await openPanel(page);
  await context.setOffline(true);
  await page.keyboard.press('l');
  await drag(page, cell, [20, 30], [80, 30]);
  await expect(panelOf(page).getByText(/^Not saved: the server cannot be reached/)).toBeVisible();
  const warned = page.waitForEvent('dialog');
  const closing = page.close({ runBeforeUnload: true });
  const dialog = await warned;
  expect(dialog.type()).toBe('beforeunload');
  await dialog.dismiss();
  await closing;
  await context.setOffline(false);
  await saved(page);
  await page.reload();
  await waitForPixels(cell);
  await openPanel(page);
  await expect(itemsOf(page)).toHaveCount(1);
  await removeAll(page);
});

test('all of it goes by keyboard', async ({ page, phantoms }) => {
  const cell = await open(page, phantoms.series.phantom);
  await openPanel(page);
  await cell.locator('xpath=..').focus();
  await page.keyboard.press('l');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  for (let i = 0; i < 4; i++) await page.keyboard.press('Shift+ArrowRight');
  await page.keyboard.press('Enter');
  await expect(itemsOf(page)).toHaveCount(1);
  await expect(itemsOf(page)).toContainText('20.0 mm'); // 40 columns of 0.5 mm
  await page.keyboard.press('Escape');
  await page.keyboard.press('l');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  await expect(itemsOf(page), 'Escape leaves nothing half drawn').toHaveCount(1);
  await jumpOf(page, 'Length').focus();
  await page.keyboard.press('Enter');
  await page.keyboard.press('F2');
  await expect(panelOf(page).getByRole('textbox', { name: 'Name of Length' })).toBeFocused();
  await page.keyboard.type('by keys');
  await page.keyboard.press('Enter');
  await expect(jumpOf(page, 'by keys')).toBeVisible();
  await page.keyboard.press('Delete');
  await expect(itemsOf(page)).toHaveCount(0);
  await removeAll(page);
});

test('a finger draws, and two fingers zoom', async ({ browser, phantoms }) => {
  const context = await browser.newContext({
    baseURL: phantoms.stack.webUrl,
    hasTouch: true,
    viewport: { width: 390, height: 844 },
  });
  const page = await context.newPage();
  const cell = await open(page, phantoms.series.phantom);
  await page.keyboard.press('l');
  const client = await context.newCDPSession(page);
  const touch = async (type: string, ...points: (readonly [number, number])[]) =>
    client.send('Input.dispatchTouchEvent', {
      type: type as 'touchStart',
      touchPoints: points.map(([x, y], id) => ({ x, y, id })),
    });
  const [a, b] = [await clientOf(cell, [40, 60]), await clientOf(cell, [120, 60])];
  await touch('touchStart', a);
  await touch('touchMove', [(a[0] + b[0]) / 2, a[1]]);
  await touch('touchMove', b);
  await touch('touchEnd');
  await expect(shapesOf(page)).toHaveAccessibleName(/Length, (39\.[5-9]|40\.[0-5]) mm/);

  await touch('touchStart', a);
  await touch('touchStart', a, b);
  await touch('touchMove', [a[0] - 30, a[1]], [b[0] + 30, b[1]]);
  await touch('touchEnd');
  await expect(shapesOf(page), 'the second finger is no shape').toHaveCount(1);
  await expect
    .poll(() =>
      cell.evaluate(
        (element) => (element as HTMLElement & { imageCell?: ImageCell }).imageCell?.state.view.zoom,
      ),
    )
    .toBeGreaterThan(1.1);
  await shapesOf(page).focus();
  await page.keyboard.press('Delete');
  await removeAll(page);
  await context.close();
});

test('the list and the shapes are accessible', async ({ page, phantoms }) => {
  const cell = await open(page, phantoms.series.phantom);
  await openPanel(page);
  await page.keyboard.press('e');
  await drag(page, cell, [30, 30], [90, 80]);
  await page.keyboard.press('l');
  await drag(page, cell, [100, 30], [140, 80]);
  await saved(page);
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme });
    const found = await new AxeBuilder({ page })
      .withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'])
      .include('aside[aria-label="Measurements"]')
      .include('svg[aria-label="Measurements on this slice"]')
      .analyze();
    expect(found.violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
  }
  await removeAll(page);
});

async function newPage(browser: Browser, { stack }: Phantoms): Promise<Page> {
  const context = await browser.newContext({ baseURL: stack.webUrl });
  const page = await context.newPage();
  await page.goto('/login');
  await fillLogIn(page, OTHER);
  await expect(page.getByRole('button', { name: 'Show patient name' })).toBeVisible();
  return page;
}
