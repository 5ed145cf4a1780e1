import { expect, logIn, patientPanel, picture, readPicture, showImage, showName, test } from './journey';

test.describe('several volumes', () => {
  test('are chosen from a list that knows the names only once it is open', async ({ page, running }) => {
    await logIn(page);
    await showName(page);
    await showImage(page);
    await expect(picture(page)).toBeVisible();

    await page.getByRole('button', { name: 'Choose from 4' }).click();
    const list = page.getByRole('dialog', { name: 'Choose a volume' });
    await expect(list.getByRole('listitem')).toHaveCount(4);
    await expect(list.getByText('Yamada, Tarou')).toBeVisible();
    await expect(list.getByText('<script>alert(1)</script>')).toBeVisible();
    await list.getByRole('button', { name: /Планк, Анна/ }).click();

    await expect(page).toHaveURL(`/dashboard?series=${running.uids.localizer}`);
    await expect(patientPanel(page), 'nothing of the volume before stays').toHaveCount(0);
    await expect(picture(page)).toHaveCount(0);
    await showName(page);
    await expect(patientPanel(page).getByText('Планк, Анна', { exact: true })).toBeVisible();

    await page.goBack();
    await expect(page).toHaveURL('/dashboard');
    await expect(patientPanel(page)).toHaveCount(0);
    await showImage(page);
    expect((await readPicture(page)).middle).toBe(95);
  });

  test('stay chosen after a reload', async ({ page, running }) => {
    await logIn(page, `/dashboard?series=${running.uids.localizer}`);
    await page.reload();
    await expect(page.getByText('Localizer')).toBeVisible();
  });

  test('can be walked through by keyboard', async ({ page, running }) => {
    await logIn(page);
    const opener = page.getByRole('button', { name: 'Choose from 4' });
    await opener.focus();
    await page.keyboard.press('Enter');
    await expect(page.getByRole('dialog').getByRole('listitem')).toHaveCount(4);
    await page.keyboard.press('Escape');
    await expect(opener).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(page.getByRole('dialog').getByRole('listitem')).toHaveCount(4);
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await expect(page).toHaveURL(new RegExp(`series=(?!${running.uids.head})`));
  });

  test('that do not exist are said not to exist', async ({ page }) => {
    await logIn(page, '/dashboard?series=1.2.3.4');
    await expect(page.getByText('This volume is not, or no longer, in the data directory.')).toBeVisible();
    await page.getByRole('link', { name: 'Show the default volume' }).click();
    await expect(page.getByText('Head 2.5 mm')).toBeVisible();
  });
});
