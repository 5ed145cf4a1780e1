import { cpSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from '@playwright/test';
import { ACCOUNT, Stack } from '../e2e/stack';

const ROOT = resolve(import.meta.dirname, '../..');
const IMAGES = join(ROOT, 'docs/images');

test.use({ viewport: { width: 1280, height: 800 }, colorScheme: 'dark', reducedMotion: 'reduce' });

test('the pictures of the documents', async ({ page }) => {
  const stack = await Stack.start();
  try {
    cpSync(join(ROOT, 'data'), stack.data, { recursive: true });
    stack.addUser(ACCOUNT);

    await page.goto(stack.webUrl);
    await expect(page.getByLabel('User name')).toBeVisible();
    await page.screenshot({ path: join(IMAGES, 'login.png') });

    await page.getByLabel('User name').fill(ACCOUNT.username);
    await page.getByLabel('Password', { exact: true }).fill(ACCOUNT.password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await expect(page.getByText('68 slices').first()).toBeVisible({ timeout: 30_000 });
    await page.getByRole('button', { name: 'Show patient name' }).click();
    await expect(page.getByText('SAMPLE-0001')).toBeVisible();
    await page.getByRole('button', { name: 'Show image' }).click();
    await expect(page.getByText('Slice 35 of 68').first()).toBeVisible();
    await page.mouse.move(640, 700);
    await page.waitForTimeout(500); // the button's colour settles
    await page.screenshot({ path: join(IMAGES, 'dashboard.png') });

    await page.getByRole('link', { name: 'Open in the viewer' }).click();
    await expect(page.getByTestId('badges')).toHaveText('Complete', { timeout: 30_000 });
    await page.waitForTimeout(1000); // the thumbnail of the strip
    await page.screenshot({ path: join(IMAGES, 'viewer.png') });
  } finally {
    await stack.stop();
  }
});
