import { ACCOUNT, expect, fillLogIn, Stack, test } from './journey';

test('the first start leads from the log to the dashboard', async ({ page, browser }) => {
  const stack = await Stack.start();
  try {
    await page.goto(stack.webUrl);
    await expect(page.getByText('This server has no account yet.')).toBeVisible();

    await page.goto(`${stack.webUrl}/setup`);
    await expect(page.getByText('needs the whole set-up link')).toBeVisible();

    const link = await stack.readSetupLink();
    await page.goto(link);
    await expect(page.getByRole('heading', { name: 'Create the first account' })).toBeVisible();
    await expect(page.getByLabel('User name')).toBeFocused();
    await expect(page.getByText('At least 15 characters.')).toBeVisible();
    await expect(page, 'the code leaves the address bar').toHaveURL(`${stack.webUrl}/setup`);

    const choose = async (password: string, repeated = password) => {
      await page.getByLabel('User name').fill(ACCOUNT.username);
      await page.getByLabel('Password', { exact: true }).fill(password);
      await page.getByLabel('Password again', { exact: true }).fill(repeated);
      await page.getByRole('button', { name: 'Create the account' }).click();
    };
    await choose(ACCOUNT.password, 'something else');
    await expect(page.getByText('The two passwords are not the same.')).toBeVisible();
    await choose('short');
    await expect(page.getByRole('alert')).toContainText('at least 15');
    await expect(page.getByLabel('Password', { exact: true })).toBeFocused();
    await choose(ACCOUNT.password);
    await expect(page).toHaveURL(`${stack.webUrl}/dashboard`);

    // The link works once. Somebody else finds it in the log.
    const other = await browser.newPage();
    await other.goto(link);
    await other.getByLabel('User name').fill('eve');
    await other.getByLabel('Password', { exact: true }).fill('nine loud summer evenings');
    await other.getByLabel('Password again', { exact: true }).fill('nine loud summer evenings');
    await other.getByRole('button', { name: 'Create the account' }).click();
    await expect(other.getByText('The first account exists already.')).toBeVisible();
    await other.getByRole('link', { name: 'Go to the log-in' }).click();
    await expect(other.getByRole('heading', { name: 'Log in' })).toBeVisible();
    await fillLogIn(other);
    await expect(other).toHaveURL(`${stack.webUrl}/dashboard`);
    await other.close();
  } finally {
    await stack.stop();
  }
});
