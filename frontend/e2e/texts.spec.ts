import { ACCOUNT, expect, test } from './journey';

test.describe('in a browser that asks for German', () => {
  test.use({ locale: 'de-DE' });

  test('pages, messages and figures are German', async ({ page }) => {
    await page.goto('/login');
    await expect(page.locator('html')).toHaveAttribute('lang', 'de');
    await expect(page).toHaveTitle('Anmelden – Medical Image Server');
    await page.getByLabel('Benutzername').fill(ACCOUNT.username);
    await page.getByLabel('Passwort', { exact: true }).fill(ACCOUNT.password);
    await page.getByRole('button', { name: 'Anmelden' }).click();
    await expect(page.getByText('11 Schichten')).toBeVisible();
    await page.getByRole('button', { name: 'Bild zeigen' }).click();
    await expect(page.getByText('−7,5 mm')).toBeVisible();
    await page.getByRole('button', { name: 'Patientennamen zeigen' }).click();
    await expect(page.getByText('17. Mai 1961')).toBeVisible();
    await page.getByRole('button', { name: 'Abmelden' }).click();
    await expect(page.getByText('Sie sind abgemeldet.')).toBeVisible();
  });
});

test.describe('in a browser that asks for a language without texts', () => {
  test.use({ locale: 'fr-CH' });

  test('words are English, figures are the locale’s', async ({ page }) => {
    await page.goto('/login');
    await expect(page.locator('html')).toHaveAttribute('lang', 'en');
    await page.getByLabel('User name').fill(ACCOUNT.username);
    await page.getByLabel('Password', { exact: true }).fill(ACCOUNT.password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await expect(page.getByText('11 slices')).toBeVisible();
    await page.getByRole('button', { name: 'Show image' }).click();
    await expect(page.getByText('−7,5 mm')).toBeVisible();
  });
});
