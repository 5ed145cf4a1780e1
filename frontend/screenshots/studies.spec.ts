import { execFileSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { expect, test } from '@playwright/test';
import { ACCOUNT, Stack } from '../e2e/stack';

const ROOT = resolve(import.meta.dirname, '../..');
const PYTHON = process.env.IMAGESERVER_PYTHON ?? resolve(ROOT, '.venv/bin/python');

test.use({ viewport: { width: 1440, height: 900 }, colorScheme: 'dark', reducedMotion: 'reduce' });

test('the list of studies, with one in the preview', async ({ page }) => {
  const stack = await Stack.start();
  try {
    execFileSync(PYTHON, ['-m', 'tests.showcase_data', stack.data], { cwd: join(ROOT, 'backend') });
    stack.addUser(ACCOUNT);
    await page.goto(`${stack.webUrl}/studies`);
    await page.getByLabel('User name').fill(ACCOUNT.username);
    await page.getByLabel('Password', { exact: true }).fill(ACCOUNT.password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await expect(page.getByText('1–40 of 40')).toBeVisible({ timeout: 60_000 });
    await page.reload(); // a list that is being filled may hold rows back
    const rows = page.locator('[role=row][data-study]');
    await expect(rows).toHaveCount(40);
    await rows.first().locator('.study_date').click();
    await expect(page.getByRole('region', { name: 'Preview' }).getByText(/slice \d+ of \d+/)).toBeVisible();
    for (const number of [0, 10, 19]) await expect(rows.nth(number).getByRole('img')).toBeVisible();
    await page.mouse.move(5, 5);
    await page.waitForTimeout(500);
    await page.screenshot({ path: join(ROOT, 'docs/images/studies.png') });
  } finally {
    await stack.stop();
  }
});
