import type { Page } from '@playwright/test';
import { expect, fillLogIn, logIn, patientPanel, picture, showImage, showName, test } from './journey';

const problem = (status: number, code: string) => ({
  status,
  contentType: 'application/problem+json',
  headers: { 'Access-Control-Allow-Origin': '*' },
  body: JSON.stringify({ type: `/problems/${code}`, title: code, status, detail: '', code, request_id: 'r' }),
});

/** Lets the API refuse this page's present tokens as expired; those that come later are good. */
async function expireTokens(page: Page) {
  const seen = new Set<string>();
  let isOver = false;
  await page.route(/\/(volumes|patient|slice|auth\/me)/, async (route) => {
    const token = (await route.request().allHeaders())['authorization'] ?? '';
    if (!isOver) seen.add(token);
    if (isOver && seen.has(token)) return route.fulfill(problem(401, 'token_expired'));
    return route.continue();
  });
  return () => (isOver = true);
}

test.describe('a session', () => {
  test('whose token expired is renewed once for all requests, and the clicks are finished', async ({
    page,
  }) => {
    const expire = await expireTokens(page);
    await logIn(page);
    await expect(page.getByText('Head 2.5 mm')).toBeVisible();
    const renewals: string[] = [];
    page.on('request', (request) => request.url().endsWith('/auth/refresh') && renewals.push(request.url()));
    expire();
    await Promise.all([showName(page), page.keyboard.press('i')]);
    await showImage(page);
    await expect(patientPanel(page)).toContainText('Yamada, Tarou');
    await expect(picture(page)).toBeVisible();
    expect(renewals).toHaveLength(1);
  });

  test('that slept longer than its token lives goes on by the session cookie', async ({ page }) => {
    await page.clock.install();
    await logIn(page);
    await page.clock.fastForward('20:00');
    await showName(page);
    await expect(patientPanel(page)).toContainText('Yamada, Tarou');
  });

  test('that ended is told in one message; after log-in the click is finished', async ({
    page,
    context,
    running,
  }) => {
    await logIn(page, `/dashboard?series=${running.uids.localizer}`);
    await expect(page.getByText('Localizer')).toBeVisible();
    const [cookie] = await context.cookies();
    const headers = { Cookie: `imageserver_session=${cookie?.value}`, Origin: running.stack.webUrl };
    const ended = await fetch(`${running.stack.apiUrl}/auth/logout`, { method: 'POST', headers });
    expect(ended.status).toBe(204);

    await showName(page);
    await expect(page).toHaveURL(/\/login\?next=/);
    await expect(page.getByText('Your session has ended.')).toHaveCount(1);
    await fillLogIn(page);
    await expect(page).toHaveURL(`/dashboard?series=${running.uids.localizer}`);
    await expect(patientPanel(page).getByText('Планк, Анна', { exact: true })).toBeVisible();
  });

  test('is refreshed by one tab at a time', async ({ page, context }) => {
    await logIn(page);
    const other = await context.newPage();
    await other.goto('/dashboard');
    await expect(other.getByText('Head 2.5 mm')).toBeVisible();
    let open = 0;
    let most = 0;
    await context.route('**/auth/refresh', async (route) => {
      most = Math.max(most, ++open);
      await new Promise((later) => setTimeout(later, 200));
      await route.continue();
      open -= 1;
    });
    await Promise.all([page.reload(), other.reload()]);
    await expect(page.getByText('Head 2.5 mm')).toBeVisible();
    await expect(other.getByText('Head 2.5 mm')).toBeVisible();
    expect(most).toBe(1);
  });
});

test('a changed password keeps this session and ends the others', async ({ page, browser, running }) => {
  const carla = { username: 'carla', password: 'eleven paper lanterns' };
  running.stack.addUser(carla);
  await logIn(page, '/', carla);
  const elsewhere = await browser.newPage({ baseURL: running.stack.webUrl });
  await logIn(elsewhere, '/', carla);

  await page.getByRole('button', { name: /Account of/ }).click();
  await page.getByRole('button', { name: 'Change password…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Change password' });
  await dialog.getByLabel('Present password', { exact: true }).fill('not this one');
  await dialog.getByLabel('New password', { exact: true }).fill('twelve paper lanterns');
  await dialog.getByRole('button', { name: 'Change password' }).click();
  await expect(dialog.getByRole('alert')).toBeVisible();
  await dialog.getByLabel('Present password', { exact: true }).fill(carla.password);
  await dialog.getByRole('button', { name: 'Change password' }).click();
  await expect(page.getByText('Your password is changed.')).toBeVisible();
  await showImage(page);
  await expect(picture(page)).toBeVisible();

  await showImage(elsewhere);
  await expect(elsewhere).toHaveURL('/login');
  await elsewhere.close();
});
