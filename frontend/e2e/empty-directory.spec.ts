import { createAccount, expect, logIn, picture, showImage, showName, Stack, test } from './journey';

test('an empty data directory is said to be empty, and files that come are noticed', async ({ page }) => {
  const stack = await Stack.start();
  try {
    await createAccount(stack);
    await logIn(page, stack.webUrl);
    await showName(page);
    await showImage(page);
    await expect(page.getByText('No DICOM volume found in the data directory.')).not.toHaveCount(0);
    await expect(page.getByRole('region', { name: 'Patient' })).toContainText('No DICOM volume found');
    await expect(page.getByRole('region', { name: 'Image' })).toContainText('No DICOM volume found');

    stack.writeData('head');
    await expect(page.getByText('Head 2.5 mm')).toBeVisible({ timeout: 45_000 });
    await expect(page.getByText('No DICOM volume found')).toHaveCount(0);
    await showImage(page);
    await expect(picture(page)).toBeVisible();
  } finally {
    await stack.stop();
  }
});
