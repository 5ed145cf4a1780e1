import { ACCOUNT, expect, fillLogIn, logIn, test } from './journey';

test.describe('log-in', () => {
  test('leads from the first address to the dashboard, and stays after a reload', async ({ page }) => {
    await page.goto('/');
    await expect(page).toHaveURL('/login');
    await expect(page).toHaveTitle(/^Log in/);
    await expect(page.getByLabel('User name')).toBeFocused();
    await fillLogIn(page);
    await expect(page).toHaveURL('/dashboard');
    await expect(page).toHaveTitle(/^Dashboard/);
    await expect(page.getByRole('banner')).toContainText(ACCOUNT.username);
    await page.reload();
    await expect(page.getByRole('button', { name: 'Show image' })).toBeVisible();
    await page.goto('/');
    await expect(page).toHaveURL('/dashboard');
    await page.goto('/login');
    await expect(page).toHaveURL('/dashboard');
  });

  test('leads back to where one wanted to go', async ({ page, running }) => {
    const address = `/dashboard?series=${running.uids.localizer}`;
    await logIn(page, address);
    await expect(page).toHaveURL(address);
  });

  test('never leads to another site', async ({ page }) => {
    await logIn(page, '/login?next=//evil.example/');
    await expect(page).toHaveURL('/dashboard');
  });

  test('refuses a wrong password in a sentence, and keeps what was typed', async ({ page }) => {
    await page.goto('/login');
    await fillLogIn(page, { ...ACCOUNT, password: 'wrong password' });
    await expect(page.getByRole('alert')).toContainText('User name or password is wrong.');
    await expect(page.getByLabel('User name')).toHaveValue(ACCOUNT.username);
    await expect(page.getByLabel('Password', { exact: true })).toBeFocused();
    await fillLogIn(page);
    await expect(page).toHaveURL('/dashboard');
  });

  test('says which field is empty, and asks nobody', async ({ page }) => {
    const asked: string[] = [];
    page.on('request', (request) => request.url().endsWith('/auth/token') && asked.push(request.url()));
    await page.goto('/login');
    await page.getByRole('button', { name: 'Log in' }).click();
    const username = page.getByLabel('User name');
    await expect(username).toBeFocused();
    await expect(username).toHaveAttribute('aria-invalid', 'true');
    await expect(username).toHaveAccessibleDescription('Type your user name.');
    await username.fill('   ');
    await page.getByLabel('Password', { exact: true }).fill('x');
    await page.keyboard.press('Enter');
    await expect(username).toBeFocused();
    expect(asked).toEqual([]);
  });

  test('sends one request for a double click', async ({ page }) => {
    const asked: string[] = [];
    page.on('request', (request) => request.url().endsWith('/auth/token') && asked.push(request.url()));
    await page.goto('/login');
    await page.getByLabel('User name').fill(ACCOUNT.username);
    await page.getByLabel('Password', { exact: true }).fill(ACCOUNT.password);
    await page.getByRole('button', { name: 'Log in' }).dblclick();
    await expect(page).toHaveURL('/dashboard');
    expect(asked).toHaveLength(1);
  });

  test('works with a password manager, and shows the password on request', async ({ page }) => {
    await page.goto('/login');
    await expect(page.getByLabel('User name')).toHaveAttribute('autocomplete', 'username');
    const password = page.getByLabel('Password', { exact: true });
    await expect(password).toHaveAttribute('autocomplete', 'current-password');
    await expect(password).toHaveAttribute('type', 'password');
    await page.getByRole('button', { name: 'Show password' }).click();
    await expect(password).toHaveAttribute('type', 'text');
  });

  test('keeps nothing with authority in the browser’s storage', async ({ page, context }) => {
    await logIn(page);
    const stored = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
    expect(stored).toBe('{}');
    expect(await page.evaluate(async () => (await indexedDB.databases()).length)).toBe(0);
    expect(await page.evaluate(() => document.cookie)).toBe('');
    const [cookie, ...others] = await context.cookies();
    expect(others).toEqual([]);
    expect(cookie).toMatchObject({
      name: 'imageserver_session',
      httpOnly: true,
      sameSite: 'Strict',
      path: '/auth/',
    });
  });

  test('signs other tabs in that wait at the log-in', async ({ page, context }) => {
    const other = await context.newPage();
    await other.goto('/login');
    await logIn(page);
    await expect(other).toHaveURL('/dashboard');
  });
});
