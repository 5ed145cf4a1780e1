import { cellAt, readState, waitForPixels } from './cells';
import { fillLogIn } from './journey';
import { expect, middleGrey, openViewer, place, test } from './viewerJourney';

test('a link opens the exact view after the log-in, in another browser', async ({
  page,
  browser,
  running,
}) => {
  const { head, thick } = running.uids;
  await openViewer(page, `/viewer/${head}`);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('2');
  for (const key of ['+', 'r', 'h', 'i']) await page.keyboard.press(key);
  await page.keyboard.press('g');
  await page.keyboard.press('2');
  await page
    .getByRole('navigation', { name: 'Series' })
    .getByRole('button', { name: /Head 5 mm/ })
    .focus();
  await page.keyboard.press('Shift+Digit2');
  await waitForPixels(cellAt(page, 1));
  const parts = [
    `/viewer/${head}?slice=7&window=-600,1500&zoom=1.25&rotate=90&flip=h&invert=1`,
    'layout=1x2',
    `cells=${thick};slice=4`,
    'active=2',
  ];
  await expect.poll(() => page.url()).toBe(`${running.stack.webUrl}${parts.join('&')}`);
  const view = (await readState(cellAt(page))).view;
  const grey = await middleGrey(cellAt(page));

  const other = await browser.newContext({ locale: 'en-GB' });
  const tab = await other.newPage();
  await tab.goto(page.url());
  await fillLogIn(tab);
  await waitForPixels(cellAt(tab), 6);
  await waitForPixels(cellAt(tab, 1), 3);
  const again = (await readState(cellAt(tab))).view;
  expect(again).toMatchObject({ ...view, window: { center: -600, width: 1500 } });
  expect(await middleGrey(cellAt(tab))).toBe(grey);
  await expect(place(tab)).toContainText('preset: Lung');
  expect(tab.url()).toBe(page.url());
  await other.close();
});

test('copy link copies it, and says so', async ({ page, context, running }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await openViewer(page, `/viewer/${running.uids.head}?slice=3`, 2);
  await page.getByRole('button', { name: 'Copy link' }).click();
  await expect(page.getByTestId('announcer')).toHaveText('The link to this view is copied.');
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
    `${running.stack.webUrl}/viewer/${running.uids.head}?slice=3`,
  );
});

test('no address tells anything about the patient', async ({ page, running }) => {
  await openViewer(page, `/viewer/${running.uids.head}`);
  await page.keyboard.press('ArrowDown');
  await expect.poll(() => page.url()).toContain('slice=7');
  expect(decodeURIComponent(page.url())).not.toMatch(/yamada|HEAD-1|1961/i);
});

test('what a link gets wrong is left out, and the rest is shown', async ({ page, running }) => {
  await openViewer(
    page,
    `/viewer/${running.uids.head}?slice=abc&window=40,0&zoom=-3&rotate=45&cells=..&layout=3x3`,
    5,
  );
  await expect(place(page)).toContainText('6 / 11');
  await expect(place(page)).toContainText('W 256 L 128');
});

test('back and forward go through views that were opened', async ({ page, running }) => {
  const { head, thick } = running.uids;
  await openViewer(page, `/viewer/${head}?slice=2`, 1);
  await page.evaluate((href) => {
    const link = document.createElement('a');
    link.href = href;
    link.textContent = 'other';
    document.querySelector('main')?.append(link);
    link.click();
  }, `/viewer/${thick}`);
  await waitForPixels(cellAt(page), 3);
  await page.goBack();
  await waitForPixels(cellAt(page), 1);
  await expect(place(page)).toContainText('2 / 11');
});
