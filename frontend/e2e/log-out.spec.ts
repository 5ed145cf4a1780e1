import { expect, logIn, patientPanel, picture, showImage, showName, test } from './journey';

const logOut = 'Log out';

test.describe('log-out', () => {
  test('ends the session on the server, and says so', async ({ page, running }) => {
    const tokens: string[] = [];
    page.on('request', (request) => {
      const header = request.headers()['authorization'];
      if (header) tokens.push(header);
    });
    await logIn(page);
    await showName(page);
    await expect(patientPanel(page)).toContainText('Yamada');
    const [cookie] = await page.context().cookies();
    await page.getByRole('button', { name: logOut, exact: true }).click();
    await expect(page).toHaveURL('/login');
    await expect(page.getByRole('status').filter({ hasText: 'You are logged out.' })).toBeVisible();
    expect(await page.context().cookies()).toEqual([]);

    for (const token of new Set(tokens)) {
      const answer = await fetch(`${running.stack.apiUrl}/patient`, { headers: { Authorization: token } });
      expect(answer.status).toBe(401);
    }
    const revived = await fetch(`${running.stack.apiUrl}/auth/refresh`, {
      method: 'POST',
      headers: { Cookie: `imageserver_session=${cookie?.value}`, Origin: running.stack.webUrl },
    });
    expect(revived.status).toBe(401);
  });

  test('reaches every tab at once, and takes the patient’s data away there', async ({ page, context }) => {
    await logIn(page);
    const other = await context.newPage();
    await other.goto('/dashboard');
    await showName(other);
    await showImage(other);
    await expect(patientPanel(other)).toContainText('Yamada');
    await expect(picture(other)).toBeVisible();
    const blob = (await picture(other).getAttribute('src')) ?? '';

    await page.getByRole('button', { name: logOut, exact: true }).click();
    await expect(other).toHaveURL('/login');
    await expect(other.getByText('another tab logged out')).toBeVisible();
    await expect(other.locator('body')).not.toContainText('Yamada');
    // The picture's memory is given back: its address leads nowhere any more.
    const isGone = await other.evaluate(async (url) => {
      const image = new Image();
      image.src = url;
      return image.decode().then(
        () => false,
        () => true,
      );
    }, blob);
    expect(isGone).toBe(true);
  });

  test('cannot be undone by back, forward or reload', async ({ page, running }) => {
    await logIn(page);
    await page.getByRole('button', { name: 'Choose from 4' }).click();
    await page.getByRole('button', { name: /Планк, Анна/ }).click();
    await showName(page);
    await expect(patientPanel(page)).toContainText('Планк');
    await page.getByRole('button', { name: logOut, exact: true }).click();
    await expect(page).toHaveURL('/login');
    for (const step of [() => page.goBack(), () => page.goForward(), () => page.reload()]) {
      await step();
      await expect(page.getByRole('heading', { name: 'Log in' })).toBeVisible();
      await expect(page).toHaveURL('/login');
      await expect(page.locator('body')).not.toContainText('Планк');
    }
    await page.goto(`${running.stack.webUrl}/dashboard`);
    await expect(page).toHaveURL('/login');
  });

  test('after leaving for another site, back shows the log-in', async ({ page, context, running }) => {
    await logIn(page);
    await showName(page);
    await expect(patientPanel(page)).toContainText('Yamada');
    await page.goto('about:blank');
    const other = await context.newPage();
    await other.goto(`${running.stack.webUrl}/dashboard`);
    await other.getByRole('button', { name: logOut, exact: true }).click();
    await expect(other).toHaveURL('/login');
    await page.goBack();
    await expect(page.getByRole('heading', { name: 'Log in' })).toBeVisible();
    await expect(page.locator('body')).not.toContainText('Yamada');
  });

  test('leaves another browser alone, unless it is log-out everywhere', async ({
    page,
    browser,
    running,
  }) => {
    await logIn(page);
    const elsewhere = await browser.newPage({ baseURL: running.stack.webUrl });
    await logIn(elsewhere);
    await page.getByRole('button', { name: logOut, exact: true }).click();
    await expect(page).toHaveURL('/login');
    await showName(elsewhere);
    await expect(patientPanel(elsewhere)).toContainText('Yamada');

    await logIn(page);
    await page.getByRole('button', { name: /Account of/ }).click();
    await page.getByRole('button', { name: 'Log out everywhere' }).click();
    await expect(page.getByText('You are logged out, here and in every other browser.')).toBeVisible();
    await showImage(elsewhere);
    await expect(elsewhere.getByRole('alertdialog')).toContainText('Your session has ended.');
    await expect(elsewhere.locator('body')).not.toContainText('Yamada');
    await elsewhere.close();
  });

  test('works here when the server cannot be reached, and is made up for later', async ({
    page,
    context,
    running,
  }) => {
    await logIn(page);
    await showName(page);
    await expect(patientPanel(page)).toContainText('Yamada');
    const [cookie] = await context.cookies();
    await page.route(`${running.stack.apiUrl}/**`, (route) => route.abort());
    await page.getByRole('button', { name: logOut, exact: true }).click();
    await expect(page.getByText('but the server could not be told')).toBeVisible();
    await expect(page.locator('body')).not.toContainText('Yamada');
    await page.unroute(`${running.stack.apiUrl}/**`);

    await page.goto('/dashboard');
    await expect(page).toHaveURL('/login');
    await expect(page.getByText('You are logged out.')).toBeVisible();
    const revived = await fetch(`${running.stack.apiUrl}/auth/refresh`, {
      method: 'POST',
      headers: { Cookie: `imageserver_session=${cookie?.value}`, Origin: running.stack.webUrl },
    });
    expect(revived.status).toBe(401);
  });
});

test('another person’s log-in in one tab takes the first one’s data out of the others', async ({
  page,
  context,
  running,
}) => {
  const bert = { username: 'bert', password: 'six green bicycles at noon' };
  running.stack.addUser(bert);
  await logIn(page);
  await showName(page);
  await showImage(page);
  await expect(patientPanel(page)).toContainText('Yamada');
  await expect(picture(page)).toBeVisible();

  // The second tab has no part in the first one's session any more: its log-in page is reached by logging in anew.
  const other = await context.newPage();
  await other.route('**/auth/refresh', (route) => route.abort());
  await logIn(other, '/login', bert);
  await expect(page.getByRole('banner')).toContainText('bert');
  await expect(page.getByText('This tab now belongs to bert')).toBeVisible();
  await expect(page.locator('main')).not.toContainText('Yamada');
  await expect(picture(page)).toHaveCount(0);
});
