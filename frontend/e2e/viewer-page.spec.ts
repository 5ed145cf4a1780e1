import type { Page } from '@playwright/test';
import { cellAt, readState, waitForPixels } from './cells';
import { logIn, showImage } from './journey';
import {
  alternative,
  CORPUS,
  expect,
  middleGrey,
  openViewer,
  place,
  test,
  viewerTest,
} from './viewerJourney';

// backend/tests/journey_data.py: slice k of 11, from 0, has the grey 20 + 15 k, and a window that changes nothing.
const grey = (k: number) => 20 + 15 * k;
const corner = (page: Page, n = 1) => place(page, n).locator('.corner.bottom-side.start');

test('from the image of the dashboard, one click opens the viewer at that slice', async ({ page }) => {
  await logIn(page);
  await showImage(page);
  await page.getByRole('button', { name: 'Next slice' }).click();
  await expect(page.getByText('Slice 7 of 11').first()).toBeVisible();
  await page.getByRole('link', { name: 'Open in the viewer' }).click();
  const cell = cellAt(page);
  await waitForPixels(cell, 6);
  expect(await middleGrey(cell)).toBe(grey(6));
  await page.getByRole('button', { name: 'Back', exact: true }).click();
  await expect(page.getByRole('button', { name: 'Show image' })).toBeVisible();
});

test('the server’s picture comes first, and is replaced without a jump', async ({ page, running }) => {
  await page.route('**/frames?*', async (route) => {
    await new Promise((later) => setTimeout(later, 1500));
    await route.continue().catch(() => {});
  });
  const opened = openViewer(page, `/viewer/${running.uids.head}`, 5);
  const preview = page.getByTestId('server-picture');
  await expect(preview).toBeVisible();
  await expect(page.getByTestId('badges')).toContainText('Preview');
  await expect(corner(page)).toContainText('6 / 11');
  const before = await preview.boundingBox();
  const cell = await opened;
  await expect(preview).toHaveCount(0);
  await expect(page.getByTestId('badges')).toHaveText('Complete');
  // The bright corner of the picture lies where it lay: the same size, and the same place.
  const { scale } = await readState(cell);
  expect((before?.width ?? 0) / 64).toBeCloseTo(scale, 1);
});

test('whose pictures these are is always in the header', async ({ page, running }) => {
  await openViewer(page, `/viewer/${running.uids.head}`);
  const patient = page.getByRole('region', { name: 'Patient' });
  for (const text of ['Yamada, Tarou', 'HEAD-1', '17 May 1961', 'Male'])
    await expect(patient).toContainText(text);
  await expect(page.getByText('Not for diagnosis')).toBeVisible();
});

test('has what one must know in its corners, and words for those who do not see it', async ({
  page,
  running,
}) => {
  await openViewer(page, `/viewer/${running.uids.head}`);
  const cell = place(page);
  for (const text of [
    'Yamada, Tarou',
    '1 Mar 2026',
    'Head 2.5 mm',
    '6 / 11',
    '−7.5 mm',
    'W 256 L 128',
    'file: WHOLE',
  ])
    await expect(cell).toContainText(text);
  await expect(alternative(page)).toHaveAccessibleName('CT Head 2.5 mm, axial, slice 6 of 11, whole window');
  await page.keyboard.press('o');
  await expect(cell).not.toContainText('W 256 L 128');
  await expect(page.getByTestId('badges'), 'badges stay').toHaveText('Complete');
});

test('follows keys, wheel and slider', async ({ page, running }) => {
  const cell = await openViewer(page, `/viewer/${running.uids.head}`);
  const seen = async (k: number) => {
    await waitForPixels(cell, k);
    expect(await middleGrey(cell)).toBe(grey(k));
  };
  await page.keyboard.press('ArrowDown');
  await seen(6);
  await expect(page.getByTestId('announcer')).toHaveText('slice 7 of 11, −5.0 mm');
  await page.keyboard.press('PageUp');
  await seen(0);
  await page.keyboard.press('End');
  await seen(10);
  await cell.hover();
  await page.mouse.wheel(0, -100);
  await seen(9);
  const slider = page.getByRole('slider', { name: 'Slice' });
  await expect(slider).toHaveAttribute('aria-valuetext', 'slice 10 of 11, 2.5 mm');
  const box = await slider.boundingBox();
  if (box) await page.mouse.click(box.x + box.width / 2, box.y + 2);
  await seen(0);
});

test('windows, turns and flips by key, and the letters follow', async ({ page, running }) => {
  const cell = await openViewer(page, `/viewer/${running.uids.head}`);
  const letters = () =>
    Promise.all(
      ['left', 'top', 'right', 'bottom'].map((edge) => place(page).locator(`.edge.${edge}`).innerText()),
    );
  expect(await letters()).toEqual(['R', 'A', 'L', 'P']);
  await page.keyboard.press('r');
  await expect.poll(letters).toEqual(['P', 'R', 'A', 'L']);
  await page.keyboard.press('h');
  await expect.poll(letters).toEqual(['P', 'L', 'A', 'R']);
  await page.keyboard.press('Backspace');
  await expect.poll(letters).toEqual(['R', 'A', 'L', 'P']);
  await page.keyboard.press('2');
  await expect(place(page)).toContainText('W 1500 L −600');
  await expect(place(page)).toContainText('preset: Lung');
  await page.getByRole('button', { name: /^WHOLE/ }).click();
  await expect(place(page)).toContainText('file: WHOLE');
  await page.keyboard.press('i');
  await expect.poll(() => middleGrey(cell)).toBe(255 - grey(5));
  await page.getByLabel('Level', { exact: true }).fill('64');
  await page.keyboard.press('Enter');
  await expect(place(page)).toContainText('W 256 L 64');
  await expect(place(page)).toContainText('set by you');
});

test('the tool in hand is shown and told; every tool has a key', async ({ page, running }) => {
  await openViewer(page, `/viewer/${running.uids.head}`);
  const zoom = page.getByRole('button', { name: 'Zoom', exact: true });
  await expect(zoom).toHaveAttribute('aria-pressed', 'false');
  await page.keyboard.press('z');
  await expect(zoom).toHaveAttribute('aria-pressed', 'true');
  await expect(page.getByTestId('announcer')).toHaveText('Zoom in hand');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('button', { name: 'Window', exact: true })).toHaveAttribute(
    'aria-pressed',
    'true',
  );
});

test('all keys stand on one sheet, and single ones can be switched off', async ({ page, running }) => {
  await openViewer(page, `/viewer/${running.uids.head}`);
  await page.keyboard.press('?');
  const sheet = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
  await expect(sheet).toContainText('Soft tissue');
  await sheet.getByRole('checkbox').uncheck();
  await page.keyboard.press('Escape');
  await expect(sheet).toHaveCount(0);
  await page.keyboard.press('z');
  await expect(page.getByRole('button', { name: 'Zoom', exact: true })).toHaveAttribute(
    'aria-pressed',
    'false',
  );
  await page.keyboard.press('ArrowDown');
  await expect(corner(page)).toContainText('7 / 11');
});

test('series side by side scroll together by position, where that can be', async ({ page, running }) => {
  await openViewer(page, `/viewer/${running.uids.head}`);
  await page.keyboard.press('g');
  await page.keyboard.press('2');
  // By keyboard: a series of the list into the second place.
  const thick = page.getByRole('navigation', { name: 'Series' }).getByRole('button', { name: /Head 5 mm/ });
  await thick.focus();
  await page.keyboard.press('Shift+Digit2');
  await waitForPixels(cellAt(page, 1), 3);
  await place(page).locator('.well').focus();
  await page.keyboard.press('u');
  await page.keyboard.press('Home');
  await waitForPixels(cellAt(page, 1), 0);
  // Slice 7 of 11 lies at -20 + 6 * 2.5 = -5 mm: with 5 mm between them that is the fourth.
  for (let k = 0; k < 6; k++) await page.keyboard.press('ArrowDown');
  await waitForPixels(cellAt(page, 1), 3);
  await expect(corner(page, 2)).toContainText('4 / 6');

  // The year before lies in another frame of reference: it stays, and says why.
  await page.keyboard.press('y');
  await waitForPixels(cellAt(page, 1), 3);
  await expect(place(page, 2)).toContainText('1 Mar 2025');
  await page.keyboard.press('Shift+Digit1');
  await page.keyboard.press('Home');
  await expect(place(page, 2)).toContainText('another frame of reference');
  await expect(corner(page, 2)).toContainText('4 / 6');
});

test('all attributes can be searched', async ({ page, running }) => {
  await openViewer(page, `/viewer/${running.uids.head}`);
  await page.keyboard.press('t');
  const panel = page.getByRole('complementary', { name: 'Attributes' });
  await panel.getByRole('searchbox').fill('birth');
  await expect(panel.getByRole('listitem')).toHaveCount(1);
  await expect(panel.getByRole('listitem')).toContainText('19610517');
  await panel.getByRole('searchbox').fill('no such thing');
  await expect(panel).toContainText('No attribute matches.');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await expect(panel).toHaveCount(0);
});

test('why this slice is one key away', async ({ page, running }) => {
  await openViewer(page, `/viewer/${running.uids.localizer}`);
  await page.keyboard.press('/');
  const panel = page.getByRole('complementary', { name: 'Why this slice?' });
  await expect(panel).toContainText('with no common direction');
  await panel.getByRole('button', { name: /^Coronal/ }).click();
  await expect(corner(page)).toContainText('1 / 1');
});

test('a saved picture tells nothing about the patient unless asked', async ({ page, running }) => {
  await openViewer(page, `/viewer/${running.uids.head}`);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Save this picture as PNG' });
  await expect(dialog.getByLabel('With the patient’s name, ID and birth date')).not.toBeChecked();
  const download = page.waitForEvent('download');
  await dialog.getByRole('button', { name: 'Save PNG' }).click();
  expect((await download).suggestedFilename()).toBe('slice-0006.png');
});

for (const [width, height] of [
  [360, 740],
  [640, 320],
  [768, 1024],
] as const) {
  test(`fits into ${width} × ${height}`, async ({ page, running }) => {
    await page.setViewportSize({ width, height });
    await openViewer(page, `/viewer/${running.uids.head}`);
    const box = await cellAt(page).boundingBox();
    expect(box?.height ?? 0).toBeGreaterThan(height * 0.3);
    expect(
      await page.evaluate(() => [
        document.documentElement.scrollWidth <= innerWidth,
        document.documentElement.scrollHeight <= Math.max(innerHeight, 320),
      ]),
    ).toEqual([true, true]);
    await expect(page.getByRole('region', { name: 'Patient' })).toContainText('17 May 1961');
  });
}

test('on a phone every command is in reach', async ({ page, running }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await openViewer(page, `/viewer/${running.uids.head}`);
  await page.getByRole('group', { name: 'Main tools' }).getByRole('button', { name: 'More' }).click();
  await page.getByRole('dialog', { name: 'More' }).getByRole('button', { name: 'Invert' }).click();
  await expect.poll(() => middleGrey(cellAt(page))).toBe(255 - grey(5));
});

test.describe('with real files', () => {
  test.skip(!CORPUS, 'needs the corpus');
  const real = viewerTest('colour/examples_ybr_color.dcm', 'mr_ge_sagittal');

  real('colour and multi-frame play at the rate of the file', async ({ page }) => {
    await openViewer(page, '/viewer/1.2.840.114340.3.8251017118051.2.20160503.120850.2171', 15);
    await expect(page.getByTestId('badges')).toContainText('Lossy');
    await expect(page.getByText('No spacing in the file: no mm')).toBeVisible();
    await expect(page.getByLabel('Frames a second')).toHaveValue('30');
    await expect(page.getByTestId('badges')).toContainText('Complete');
    await page.keyboard.press('Space');
    await expect.poll(async () => (await readState(cellAt(page))).view.index).not.toBe(15);
    await page.keyboard.press('Escape');
    await expect.poll(async () => (await readState(cellAt(page))).isPlaying).toBe(false);
  });
});
