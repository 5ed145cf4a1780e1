import type { Page } from '@playwright/test';
import { logIn } from './journey';
import {
  ALL,
  cell,
  expect,
  filters,
  grid,
  names,
  openList,
  pages,
  preview,
  rows,
  searchBox,
  test,
} from './studyList';

const shows = (page: Page, text: string) => expect(pages(page)).toContainText(text);

test.describe('the search', () => {
  test('finds words in any script as they are typed, and never writes them into the address', async ({
    page,
  }) => {
    const asked: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    await openList(page);
    await shows(page, `1–50 of ${ALL}`);
    const found: [string, string[]][] = [
      ['mull', ['Müller-Lüdenscheidt, Dr. Hans-Jürgen']],
      ['太郎', ['Yamada, Tarou', 'Yamada, Tarou']],
      ['ヤマダ', ['Yamada, Tarou', 'Yamada, Tarou']],
      ['tar yam head', ['Yamada, Tarou']],
      ['حسين', ['ابن سينا, حسين']],
      ['acc-1001', ['Yamada, Tarou']],
      ['s-0042', ['Sample, Patient 042']],
      ['examination 117', ['Sample, Patient 117']],
      ['<script', ['<script>alert(1)</script>']],
    ];
    for (const [text, expected] of found) {
      await searchBox(page).fill(text);
      await expect(names(page), text).toHaveText(expected);
    }
    await searchBox(page).pressSequentially(' patient', { delay: 20 });
    await expect(page).toHaveURL('/studies');
    const ofPages = asked.filter((url) => new URL(url).port === new URL(page.url()).port);
    expect(ofPages.filter((url) => /mull|yam|1001|script/i.test(decodeURIComponent(url)))).toEqual([]);
  });

  test('is focused by a slash and cleared by Escape', async ({ page }) => {
    await openList(page);
    await shows(page, `of ${ALL}`);
    await page.keyboard.press('/');
    await expect(searchBox(page)).toBeFocused();
    await page.keyboard.type('knee');
    await shows(page, '1–1 of 1');
    await expect(page.getByTestId('announcer')).toHaveText('1 study');
    await page.keyboard.press('Escape');
    await expect(searchBox(page)).toHaveValue('');
    await shows(page, `of ${ALL}`);
  });

  test('shows the last text, however late an earlier answer comes', async ({ page }) => {
    await openList(page);
    await shows(page, `of ${ALL}`);
    await page.route(/\/studies\?.*query=s(&|$)/, async (route) => {
      await new Promise((later) => setTimeout(later, 1500));
      await route.continue().catch(() => {});
    });
    await searchBox(page).fill('s');
    await page.waitForTimeout(300);
    await searchBox(page).fill('scr');
    await expect(names(page)).toHaveText(['<script>alert(1)</script>']);
    await page.waitForTimeout(1800);
    await expect(names(page)).toHaveText(['<script>alert(1)</script>']);
  });

  test('is there again after a reload and by the back button, for the same person only', async ({
    page,
    running,
  }) => {
    const reader = { username: 'rita', password: 'five loud summer evenings' };
    running.stack.addUser(reader);
    await openList(page);
    await searchBox(page).fill('knee');
    await shows(page, '1–1 of 1');
    await page.reload();
    await expect(searchBox(page)).toHaveValue('knee');
    await shows(page, '1–1 of 1');
    await page.getByRole('link', { name: 'Dashboard', exact: true }).click();
    await expect(page).toHaveURL('/dashboard'); // before that there is nothing to go back from
    await page.goBack();
    await expect(searchBox(page)).toHaveValue('knee');
    await shows(page, '1–1 of 1');
    await page.getByRole('link', { name: 'Dashboard', exact: true }).click();
    await page.getByRole('button', { name: 'Log out', exact: true }).click();
    await logIn(page, '/login?next=%2Fdashboard', reader);
    await page.goBack();
    await page.goBack();
    // Nothing of the search is left: not its text, and not the one study that it had found.
    await expect(page.getByText('1–1 of 1')).toHaveCount(0);
    if (await searchBox(page).isVisible()) await expect(searchBox(page)).toHaveValue('');
  });

  test('says so when nothing matches, and which way leads out', async ({ page }) => {
    await openList(page, '/studies?modality=US');
    await searchBox(page).fill('knee');
    await expect(page.getByRole('heading', { name: 'No study matches' })).toBeVisible();
    await expect(page.getByText('Without the filters, 1 study matches.')).toBeVisible();
    await page.getByRole('button', { name: 'Remove the filters' }).click();
    await expect(names(page)).toHaveText(['Yamada, Tarou']);
    await expect(page).toHaveURL('/studies');
    await searchBox(page).fill('no such person');
    await page.getByRole('button', { name: 'Clear the search' }).last().click();
    await shows(page, `of ${ALL}`);
  });
});

test('each column sorts both ways, by the server, and the address says so', async ({ page }) => {
  test.slow();
  await openList(page, '/studies?size=200');
  await shows(page, `1–${ALL} of ${ALL}`);
  const columns: [string, string][] = [
    ['Patient', 'patient_name'],
    ['Patient ID', 'patient_id'],
    ['Description', 'description'],
    ['Modality', 'modality'],
    ['Date', 'study_date'],
    ['Series', 'series_count'],
    ['Slices', 'slice_count'],
    ['Accession', 'accession_number'],
    ['Verdict', 'verdict'],
  ];
  const order = () => rows(page).evaluateAll((all) => all.map((row) => row.getAttribute('data-study')));
  for (const [name, column] of columns) {
    const head = page.getByRole('columnheader', { name, exact: true });
    await head.getByRole('button').click();
    await expect(grid(page)).toHaveAttribute('aria-busy', 'false');
    await expect(head).toHaveAttribute('aria-sort', /ascending|descending/);
    const first = await head.getAttribute('aria-sort');
    await expect.poll(order).toHaveLength(ALL);
    await page.waitForLoadState('networkidle');
    const one = await order();
    await head.getByRole('button').click();
    await expect(head).toHaveAttribute('aria-sort', first === 'ascending' ? 'descending' : 'ascending');
    await expect.poll(order, column).toEqual([...one].reverse());
    await expect(page.locator('[aria-sort]:not([aria-sort=none])')).toHaveCount(1);
    if (first === 'ascending') await expect(page).toHaveURL(new RegExp(`sort=-${column}`));
  }
  await page.getByRole('columnheader', { name: 'Patient', exact: true }).getByRole('button').click();
  await expect(names(page).first()).toHaveText('No patient name');
});

test.describe('pages', () => {
  test('are turned by button and by key, with true totals', async ({ page }) => {
    await openList(page);
    await shows(page, `1–50 of ${ALL}`);
    await page.getByRole('button', { name: 'Next page' }).click();
    await shows(page, `51–100 of ${ALL}`);
    await expect(page).toHaveURL('/studies?page=2');
    await page.getByRole('button', { name: 'Last page' }).click();
    await shows(page, `101–${ALL} of ${ALL}`);
    await expect(rows(page)).toHaveCount(ALL - 100);
    await page.goBack();
    await shows(page, `51–100 of ${ALL}`);

    await rows(page).first().focus();
    await page.keyboard.press('ArrowLeft');
    await shows(page, `1–50 of ${ALL}`);
    await expect(rows(page).last(), 'one comes from below').toBeFocused();
    await page.keyboard.press('Control+End');
    await shows(page, `101–${ALL} of ${ALL}`);
    await expect(rows(page).first()).toBeFocused();
    await page.keyboard.press('Control+Home');
    await shows(page, `1–50 of ${ALL}`);

    await page.getByLabel('Studies per page').selectOption('100');
    await shows(page, `1–100 of ${ALL}`);
    await expect(page).toHaveURL('/studies?size=100');
  });

  test('behind the end say so', async ({ page }) => {
    await openList(page, '/studies?page=9');
    await expect(page.getByText('This page lies behind the end of the list.')).toBeVisible();
    await page.getByRole('button', { name: 'Go to the first page' }).click();
    await shows(page, `1–50 of ${ALL}`);
  });
});

test.describe('filters', () => {
  test('narrow the list, stand in the address, and can be removed one by one', async ({ page }) => {
    await openList(page);
    await filters(page).getByRole('button', { name: 'Modality' }).click();
    const choices = filters(page).getByRole('group', { name: 'Modality' });
    await choices.getByLabel('US').check();
    await shows(page, '1–24 of 24');
    await choices.getByLabel('DX').check();
    await shows(page, '1–48 of 48');
    await page.keyboard.press('Escape');
    await expect(filters(page).getByRole('button', { name: 'Modality US, DX' })).toBeFocused();

    await filters(page).getByRole('button', { name: 'Date' }).click();
    await page.getByLabel('From').fill('2026-06-01');
    await page.getByLabel('To').fill('2026-06-08');
    await page.getByRole('button', { name: 'Apply' }).click();
    await shows(page, '1–4 of 4');
    await expect(page).toHaveURL('/studies?modality=US&modality=DX&from=2026-06-01&to=2026-06-08');
    await page.reload();
    await shows(page, '1–4 of 4');

    await filters(page).getByRole('button', { name: 'Remove the filter Modality' }).click();
    await shows(page, '1–8 of 8');
    await filters(page).getByRole('button', { name: 'Remove the filter Date' }).click();
    await filters(page).getByRole('button', { name: 'Verdict' }).click();
    await page.getByLabel('No pictures').check();
    await expect(names(page)).toHaveText(['Words, Only']);
    await expect(page).toHaveURL('/studies?verdict=empty');
    await page.goBack();
    await shows(page, `of ${ALL}`);
  });

  test('of an address hold in a new tab, before and after log-in', async ({ page, context }) => {
    const address = '/studies?modality=DX&sort=patient_name&size=25&page=1';
    await openList(page, address);
    await shows(page, '1–24 of 24');
    await expect(names(page).first()).toHaveText('Sample, Patient 004');
    const tab = await context.newPage();
    await tab.goto(address);
    await shows(tab, '1–24 of 24');
    await expect(tab.getByRole('columnheader', { name: 'Patient', exact: true })).toHaveAttribute(
      'aria-sort',
      'ascending',
    );
  });
});

test.describe('the preview', () => {
  test('opens beside the list, tells the study and its patient, and leads to the viewer', async ({
    page,
  }) => {
    await openList(page);
    await cell(rows(page).first(), 'study_date').click();
    const panel = preview(page);
    await expect(panel.getByRole('heading', { name: 'Yamada, Tarou' })).toBeVisible();
    await expect(panel.getByText('山田, 太郎')).toHaveAttribute('lang', 'ja');
    await expect(panel.getByRole('img').first()).toHaveAttribute(
      'alt',
      /Middle slice, CT CT Head, slice 4 of 6/,
    );
    await expect(panel.getByText('Series (2)')).toBeVisible();
    await expect(panel.getByRole('link', { name: /Axial 2 mm/ })).toHaveAttribute(
      'href',
      /^\/viewer\/2\.25\./,
    );
    await expect(page).toHaveURL(/study=2\.25\./);
    await expect(rows(page).first()).toHaveAttribute('aria-selected', 'true');
    await page.reload();
    await expect(panel.getByText('ACC-1001')).toBeVisible();

    await panel.getByRole('button', { name: /MR Knee/ }).click();
    await expect(panel.getByText('MR Knee').first()).toBeVisible();
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await panel.getByRole('button', { name: 'Copy the Patient ID' }).click();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('YAM-7');
    await panel.getByRole('button', { name: 'Close the preview' }).click();
    await expect(panel).toHaveCount(0);
  });

  test('says what a study without pictures is, and never opens an empty viewer', async ({ page }) => {
    await openList(page, '/studies?verdict=empty');
    await expect(rows(page)).toHaveCount(1);
    await rows(page).first().focus();
    await page.keyboard.press('Enter');
    await expect(preview(page).getByText('There is nothing in this study')).toBeVisible();
    await expect(page).toHaveURL(/^.*\/studies\?/);
  });
});

test('small pictures are there, or the reason why not', async ({ page }) => {
  await openList(page);
  const row = (name: string) => rows(page).filter({ hasText: name }).first();
  await expect(row('Yamada').getByRole('img', { name: 'Middle slice, CT CT Head' })).toBeVisible();
  await expect(row('Words, Only').getByText('This study has no pictures.')).toBeAttached();
  await expect(row('Broken, Disk').getByText(/small picture/)).toBeAttached();
  await expect(names(page).filter({ hasText: 'Wolfe' })).toHaveAttribute('title', /Zeus$/);
});

test('the whole way from the list to the viewer works by keyboard', async ({ page }) => {
  await openList(page);
  await shows(page, `of ${ALL}`);
  await page.keyboard.press('/');
  await page.keyboard.type('yamada');
  await shows(page, '1–2 of 2');
  await page.keyboard.press('Enter');
  await expect(rows(page).first()).toBeFocused();
  await page.keyboard.press('Space');
  await expect(preview(page).getByText('ACC-1001')).toBeVisible();
  await page.keyboard.press('ArrowDown');
  await expect(rows(page).nth(1)).toBeFocused();
  await expect(preview(page).getByText('MR Knee').first()).toBeVisible();
  await page.keyboard.press('Home');
  await expect(rows(page).first()).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(preview(page)).toHaveCount(0);
  await expect(rows(page).first()).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/viewer\/2\.25\.\d+/);
  await page.goBack();
  await expect(searchBox(page)).toHaveValue('yamada');
  await shows(page, '1–2 of 2');
});

test('keys pressed while other rows are on their way are meant for those', async ({ page }) => {
  await openList(page);
  await shows(page, `1–50 of ${ALL}`);
  let release = () => {};
  const hold = () => {
    const held = new Promise<void>((resolve) => (release = resolve));
    return page.route(/\/studies\?/, (route) => held.then(() => route.continue()).catch(() => {}), {
      times: 1,
    });
  };
  await rows(page).first().focus();
  await hold();
  for (const key of ['ArrowRight', 'ArrowDown', 'ArrowDown']) await page.keyboard.press(key);
  release();
  await shows(page, `51–100 of ${ALL}`);
  await expect(rows(page).nth(2)).toBeFocused();

  await hold();
  await page.keyboard.press('/');
  await page.keyboard.type('yamada');
  for (const key of ['ArrowDown', 'ArrowDown', 'Space']) await page.keyboard.press(key);
  release();
  await shows(page, '1–2 of 2');
  await expect(rows(page).nth(1)).toBeFocused();
  await expect(preview(page).getByText('MR Knee').first()).toBeVisible();
});

test('log-out leaves nothing of it behind', async ({ page }) => {
  await openList(page);
  await searchBox(page).fill('yamada');
  await shows(page, '1–2 of 2');
  await page.getByRole('button', { name: 'Log out', exact: true }).click();
  await expect(page.getByLabel('User name')).toBeVisible();
  await expect(page.getByText('Yamada')).toHaveCount(0);
  const kept = await page.evaluate(() =>
    JSON.stringify([history.state, { ...localStorage, ...sessionStorage }]),
  );
  expect(kept).not.toContain('yamada');
});
