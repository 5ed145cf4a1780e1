import type { Page } from '@playwright/test';
import {
  ACCOUNT,
  expect,
  logIn,
  patientPanel,
  picture,
  showImage,
  showName,
  test,
  type Stack,
} from './journey';

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

const returnDialog = (page: Page) => page.getByRole('alertdialog', { name: 'Log in again' });

/** Ends the session on the server, as an administrator or a log-out everywhere does. */
async function revoke(page: Page, stack: Stack) {
  const [cookie] = await page.context().cookies();
  const headers = { Cookie: `imageserver_session=${cookie?.value}`, Origin: stack.webUrl };
  const ended = await fetch(`${stack.apiUrl}/auth/logout`, { method: 'POST', headers });
  expect(ended.status).toBe(204);
}

/** Nothing of a patient for eyes, for voices, or for a script that looks through the document. */
async function expectNothingOfPatient(page: Page, name: string) {
  expect(await page.content()).not.toContain(name);
  expect(await page.locator('body').ariaSnapshot()).not.toContain(name);
  expect(await page.locator('img, canvas').count()).toBe(0);
  expect(await page.title()).toBe('Log in again – Medical Image Server');
}

test.describe('a session that is ended on the server while somebody works', () => {
  test.beforeEach(async ({ page, running }) => {
    await logIn(page, `/dashboard?series=${running.uids.head}`);
    await showName(page);
    await showImage(page);
    await expect(patientPanel(page)).toContainText('Yamada, Tarou');
    await expect(picture(page)).toBeVisible();
    await page.getByText('As the file writes it').click();
    await revoke(page, running.stack);
    await page.keyboard.press('Escape');
    await page.getByRole('group', { name: 'Picture' }).focus();
    await page.keyboard.press('ArrowDown');
    await expect(returnDialog(page)).toBeVisible();
  });

  test('covers the page and gives it back after log-in, with the step that was on its way', async ({
    page,
  }) => {
    await expectNothingOfPatient(page, 'Yamada');
    await expect(page.getByLabel('User name')).toHaveValue(ACCOUNT.username);
    await expect(page.getByLabel('Password', { exact: true })).toBeFocused();
    // Keys do nothing to the page behind, and Escape does not open the way to it.
    await page.keyboard.press('Escape');
    await expect(returnDialog(page)).toBeVisible();
    await page.keyboard.type('wrong');
    await page.keyboard.press('Enter');
    await expect(returnDialog(page).getByRole('alert')).toContainText('User name or password is wrong.');
    await expectNothingOfPatient(page, 'Yamada');

    await page.getByLabel('Password', { exact: true }).fill(ACCOUNT.password);
    await page.keyboard.press('Enter');
    await expect(returnDialog(page)).toHaveCount(0);
    await expect(patientPanel(page)).toContainText('Yamada, Tarou');
    await expect(patientPanel(page).getByText('Yamada^Tarou', { exact: false }).last()).toBeVisible();
    await expect(picture(page)).toHaveAttribute('alt', /Slice 7 of 11/);
    await expect(page.getByRole('group', { name: 'Picture' })).toBeFocused();
    await expect(page).toHaveTitle('Dashboard – Medical Image Server');
    await page.keyboard.press('ArrowDown');
    await expect(picture(page)).toHaveAttribute('alt', /Slice 8 of 11/);
  });

  test('starts afresh for another person', async ({ page, running }) => {
    const dora = { username: 'dora', password: 'nine quiet harbours' };
    running.stack.addUser(dora);
    await page.getByLabel('User name').fill(dora.username);
    await page.getByLabel('Password', { exact: true }).fill(dora.password);
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
    await expect(page).toHaveURL('/dashboard');
    await expect(page.getByText('You are logged in as dora.')).toBeVisible();
    await expect(page.getByRole('button', { name: 'Show image' })).toHaveAttribute('aria-busy', 'false');
    expect(await page.content()).not.toContain('Yamada');
    await expect(picture(page)).toHaveCount(0);
  });

  test('can be left for the log-in', async ({ page }) => {
    await page.getByRole('button', { name: 'Leave' }).click();
    await expect(page).toHaveURL('/login');
    await expect(page.getByText('You are logged out.')).toBeVisible();
    await page.reload();
    await expect(page.getByRole('heading', { name: 'Log in' })).toBeVisible();
    expect(await page.content()).not.toContain('Yamada');
  });

  test('is waited for in every tab, and one log-in brings all back', async ({ page, context }) => {
    const other = await context.newPage();
    await other.goto('/login');
    await other.getByLabel('User name').fill(ACCOUNT.username);
    await other.getByLabel('Password', { exact: true }).fill(ACCOUNT.password);
    await other.getByRole('button', { name: 'Log in' }).click();
    await expect(other).toHaveURL('/dashboard');
    await expect(returnDialog(page)).toHaveCount(0);
    await expect(patientPanel(page)).toContainText('Yamada, Tarou');
  });
});

test.describe('in the viewer', () => {
  const position = (page: Page, n: number) => page.getByText(`${n} / 11`, { exact: true }).first();
  /** Whether the canvas of the first cell shows anything else than black. */
  const hasPixels = (page: Page) =>
    page
      .locator('canvas')
      .first()
      .evaluate((element) => {
        const { width, height } = element as HTMLCanvasElement;
        const copy = new OffscreenCanvas(width, height).getContext('2d');
        copy?.drawImage(element as HTMLCanvasElement, 0, 0);
        return (
          copy?.getImageData(0, 0, width, height).data.some((value, i) => i % 4 !== 3 && value > 20) ?? false
        );
      });

  async function openViewer(page: Page, series: string) {
    await logIn(page);
    await page.goto(`/viewer/${series}`);
    await expect(page.getByText('Yamada, Tarou').first()).toBeVisible();
    await expect(position(page, 6)).toBeVisible();
  }

  test('a token that expires while slices are on their way is renewed, and nobody notices', async ({
    page,
    running,
  }) => {
    const expire = await expireTokens(page);
    let open: () => void = () => {};
    const gate = new Promise<void>((opened) => (open = opened));
    await page.route('**/frames?*', async (route) => {
      await gate;
      await route.fallback();
    });
    await openViewer(page, running.uids.head);
    expire();
    open();
    await expect.poll(() => hasPixels(page)).toBe(true);
    for (const slice of [7, 8]) {
      await page.keyboard.press('ArrowDown');
      await expect(position(page, slice)).toBeVisible();
    }
    await expect(page.getByRole('alert')).toHaveCount(0);
    await expect(returnDialog(page)).toHaveCount(0);
  });

  test('a session that is ended takes pixels and name away, and log-in brings the same view back', async ({
    page,
    running,
  }) => {
    await openViewer(page, running.uids.head);
    await expect.poll(() => hasPixels(page)).toBe(true);
    for (const key of ['ArrowDown', 'ArrowDown', 'i']) await page.keyboard.press(key);
    await expect(position(page, 8)).toBeVisible();
    const kept = await page.locator('canvas').first().elementHandle();
    await revoke(page, running.stack);
    await expect(returnDialog(page)).toBeVisible({ timeout: 20_000 });
    await expectNothingOfPatient(page, 'Yamada');
    // Not in the canvas either that waits outside of the document.
    const isBlank = await kept?.evaluate((element) => {
      const { width, height } = element as HTMLCanvasElement;
      if (!width || !height) return true;
      const copy = new OffscreenCanvas(width, height).getContext('2d');
      copy?.drawImage(element as HTMLCanvasElement, 0, 0);
      return !copy?.getImageData(0, 0, width, height).data.some((value, i) => i % 4 !== 3 && value > 20);
    });
    expect(isBlank).toBe(true);

    await page.getByLabel('Password', { exact: true }).fill(ACCOUNT.password);
    await page.keyboard.press('Enter');
    await expect(page.getByText('Yamada, Tarou').first()).toBeVisible();
    await expect(position(page, 8)).toBeVisible();
    await expect.poll(() => hasPixels(page)).toBe(true);
    await expect(page).toHaveURL(/slice=8/);
    await expect(page).toHaveURL(/invert=1/);
    await page.keyboard.press('ArrowDown');
    await expect(position(page, 9)).toBeVisible();
  });
});

test('a session that is ended over planes takes them away, and log-in brings them back', async ({
  page,
  running,
}) => {
  await logIn(page);
  await page.goto(`/viewer/${running.uids.head}?layout=planes`);
  const coronal = page.getByRole('slider', { name: /coronal plane/ });
  await coronal.focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press(']');
  const index = await coronal.getAttribute('aria-valuenow');
  const shown = () => coronal.locator('canvas').evaluate((canvas) => canvas.dataset.shown);
  await expect.poll(shown).toBe(String(Number(index) - 1));
  await revoke(page, running.stack);
  await expect(returnDialog(page)).toBeVisible({ timeout: 20_000 });
  await expectNothingOfPatient(page, 'Yamada');
  await page.getByLabel('Password', { exact: true }).fill(ACCOUNT.password);
  await page.keyboard.press('Enter');
  await expect(coronal).toHaveAttribute('aria-valuenow', index ?? '');
  await expect.poll(shown).toBe(String(Number(index) - 1));
  await expect(page.getByRole('spinbutton', { name: 'Thickness of the slab in mm' })).toHaveValue('1');
});

test('five seconds offline are said, and what was asked for comes by itself', async ({ page, context }) => {
  await logIn(page);
  await showImage(page);
  await expect(picture(page)).toBeVisible();
  const sentence = page.getByText(/No connection since \d+:\d+\./);
  await context.setOffline(true);
  await expect(sentence).toBeVisible();
  await showName(page);
  await expect(patientPanel(page).getByRole('alert')).toContainText('This computer is offline.');
  await page.waitForTimeout(5000);
  await context.setOffline(false);
  await expect(patientPanel(page)).toContainText('Yamada, Tarou');
  await expect(sentence).toHaveCount(0);
  await expect(picture(page)).toBeVisible();
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
  await expect(returnDialog(elsewhere)).toBeVisible();
  await elsewhere.close();
});
