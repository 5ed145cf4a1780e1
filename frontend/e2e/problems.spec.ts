import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, logIn, test } from './journey';

test.describe('files that are not shown', () => {
  test('are named with their reason, and lead to their series', async ({ page, running }) => {
    await logIn(page);
    await page.getByRole('link', { name: '1 file could not be used.' }).click();
    await expect(page).toHaveTitle('Files not shown – Medical Image Server');
    const files = page.getByRole('list', { name: 'Files', exact: true }).getByRole('listitem');
    await expect(files).toHaveCount(1);
    await expect(files).toContainText('damaged/898.dcm');
    await files.getByRole('link', { name: 'Its series' }).click();
    await expect(page).toHaveURL(`/dashboard?series=${running.uids.damaged}`);
  });

  test('can be chosen by kind, and appear while one looks', async ({ page, running }) => {
    const note = join(running.stack.data, 'a note <b>.txt');
    await logIn(page);
    await page.goto('/problems');
    try {
      const kinds = page.getByRole('group', { name: 'Kind of problem' });
      await expect(kinds.getByRole('button', { name: /^1 All files/ })).toBeVisible();
      writeFileSync(note, 'No image.');
      await kinds.getByRole('button', { name: /is not DICOM/ }).click({ timeout: 45_000 });
      await expect(page).toHaveURL('/problems?code=not_dicom');
      const files = page.getByRole('list', { name: 'Files', exact: true }).getByRole('listitem');
      await expect(files).toHaveText([/a note <b>\.txt.*The file is not DICOM.*9 bytes/s]);
      await page.reload();
      await expect(files, 'the kind stands in the address').toHaveCount(1);
      await expect(kinds.getByRole('button', { pressed: true })).toContainText('is not DICOM');
      await kinds.getByRole('button', { name: /^2 All files/ }).click();
      await expect(files).toHaveCount(2);
      await page.getByRole('combobox', { name: 'Order' }).selectOption('Largest');
      await expect(files.first()).toContainText('898.dcm');
    } finally {
      rmSync(note);
    }
  });

  test('have no path for who does not administrate', async ({ page, running }) => {
    const reader = { username: 'rita', password: 'five loud summer evenings' };
    running.stack.addUser(reader);
    await logIn(page, '/dashboard', reader);
    await page.goto('/problems');
    const files = page.getByRole('list', { name: 'Files', exact: true }).getByRole('listitem');
    await expect(files.first()).toBeVisible();
    await expect(page.getByText('told to administrators only')).toBeVisible();
    await expect(page.getByText('898.dcm')).toHaveCount(0);
  });
});
