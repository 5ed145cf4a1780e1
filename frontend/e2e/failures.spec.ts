import type { Page, Route } from '@playwright/test';
import {
  ACCOUNT,
  createAccount,
  expect,
  fillLogIn,
  logIn,
  patientPanel,
  picture,
  showImage,
  showName,
  Stack,
  test,
} from './journey';

const cors = (page: Page) => ({
  'Access-Control-Allow-Origin': new URL(page.url()).origin,
  'Access-Control-Allow-Credentials': 'true',
});

const html = (page: Page, status: number) => ({
  status,
  contentType: 'text/html',
  headers: cors(page),
  body: '<h1>Bad gateway</h1>',
});

const image = (page: Page) => page.getByRole('region', { name: 'Image' });

test('an API that is down is said to be down, and work goes on when it is back', async ({ page }) => {
  const stack = await Stack.start();
  try {
    await createAccount(stack);
    stack.writeData('head');
    await logIn(page, stack.webUrl);
    await expect(page.getByText('Head 2.5 mm')).toBeVisible({ timeout: 45_000 });
    await stack.stopApi();

    await showName(page);
    const sentence = `The image server at ${stack.apiUrl} cannot be reached.`;
    await expect(patientPanel(page).getByRole('alert')).toContainText(sentence);
    await stack.startApi();
    await expect(patientPanel(page), 'without any click').toContainText('Yamada, Tarou');

    await stack.stopApi();
    await page.goto(`${stack.webUrl}/dashboard`);
    await expect(page.getByRole('alert')).toContainText(sentence);
    await page.goto(`${stack.webUrl}/login`);
    await expect(page.getByRole('alert')).toContainText(sentence);
    await page.getByLabel('User name').fill(ACCOUNT.username);
    await page.getByLabel('Password', { exact: true }).fill(ACCOUNT.password);
    await stack.startApi();
    await page.getByRole('button', { name: 'Log in', exact: true }).click();
    await expect(page).toHaveURL(`${stack.webUrl}/dashboard`);
  } finally {
    await stack.stop();
  }
});

test('an API that refuses the page’s origin is told from one that is down, and the setting is named', async ({
  page,
}) => {
  const stack = await Stack.start(() => ({ IMAGESERVER_CORS_ORIGINS: 'https://images.example.org' }));
  try {
    await page.goto(`${stack.webUrl}/login`);
    const alert = page.getByRole('alert');
    await expect(alert).toContainText(`does not accept requests from ${stack.webUrl}`);
    await expect(alert).toContainText('IMAGESERVER_CORS_ORIGINS');
  } finally {
    await stack.stop();
  }
});

test('a page and an API under different host names are told to share one', async ({ page }) => {
  const stack = await Stack.start(({ apiPort }) => ({ IMAGESERVER_API_URL: `http://localhost:${apiPort}` }));
  try {
    await page.goto(`http://127.0.0.1:${stack.webPort}/login`);
    await expect(
      page.getByText('This page was opened at 127.0.0.1, but its server is at localhost.'),
    ).toBeVisible();
  } finally {
    await stack.stop();
  }
});

test.describe('on the log-in', () => {
  const failures: [string, (page: Page) => (route: Route) => Promise<void>, string][] = [
    [
      'a gateway without a server',
      (page) => (route) => route.fulfill(html(page, 502)),
      'A gateway in between answered “502”',
    ],
    ['a page of some proxy', (page) => (route) => route.fulfill(html(page, 200)), 'A web page came back'],
    ['a broken connection', () => (route) => route.abort('connectionreset'), 'The connection broke off'],
  ];
  for (const [name, answer, sentence] of failures) {
    test(`${name} gives a sentence, and the form is kept`, async ({ page }) => {
      await page.goto('/login');
      await page.route('**/auth/token', answer(page));
      await fillLogIn(page);
      await expect(page.getByRole('alert')).toContainText(sentence);
      await expect(page.getByLabel('User name')).toHaveValue(ACCOUNT.username);
      await expect(page.getByLabel('Password', { exact: true })).toHaveValue(ACCOUNT.password);
      await page.unroute('**/auth/token');
      await page.getByRole('button', { name: 'Log in' }).click();
      await expect(page).toHaveURL('/dashboard');
    });
  }

  test('an offline computer is said to be offline', async ({ page, context }) => {
    await page.goto('/login');
    await expect(page.getByRole('button', { name: 'Log in' })).toBeVisible();
    await context.setOffline(true);
    await fillLogIn(page);
    await expect(page.getByRole('alert')).toContainText('This computer is offline.');
    await context.setOffline(false);
  });
});

test.describe('instead of an image', () => {
  const failures: [string, (page: Page, route: Route) => Promise<void>, string][] = [
    [
      'half an image',
      async (page, route) => {
        const answer = await route.fetch();
        const body = await answer.body();
        const headers: Record<string, string> = { ...answer.headers(), ...cors(page) };
        delete headers['content-length'];
        await route.fulfill({ response: answer, headers, body: body.subarray(0, body.length / 2) });
      },
      'The picture arrived incomplete',
    ],
    [
      'JSON',
      (page, route) => route.fulfill({ json: {}, headers: cors(page) }),
      'Something else than a picture',
    ],
    ['a page of some proxy', (page, route) => route.fulfill(html(page, 502)), 'A gateway in between'],
    [
      'an error of the server',
      (page, route) =>
        route.fulfill({
          status: 500,
          contentType: 'application/problem+json',
          headers: cors(page),
          body: JSON.stringify({
            status: 500,
            code: 'internal',
            title: 'x',
            detail: 'x',
            request_id: 'abc123',
          }),
        }),
      'abc123',
    ],
  ];
  for (const [name, answer, sentence] of failures) {
    test(`${name} gives a sentence, takes the old picture away, and can be tried again`, async ({ page }) => {
      await logIn(page);
      await showImage(page);
      await expect(picture(page)).toBeVisible();
      await page.route('**/slice?*', (route) => answer(page, route));
      await page.keyboard.press('ArrowDown');
      await expect(image(page).getByRole('alert')).toContainText(sentence);
      await expect(picture(page)).toHaveCount(0);
      await page.unroute('**/slice?*');
      await image(page).getByRole('button', { name: 'Try again' }).click();
      await expect(picture(page)).toBeVisible();
    });
  }
});

test('slow answers show progress after 400 ms, and can be cancelled', async ({ page }) => {
  await logIn(page);
  await page.route('**/slice*', async (route) => {
    await new Promise((later) => setTimeout(later, 3000));
    await route.continue().catch(() => {});
  });
  await showImage(page);
  const button = page.getByRole('button', { name: 'Show image' });
  await expect(button).toHaveAttribute('aria-busy', 'true', { timeout: 100 });
  await expect(image(page).getByRole('progressbar')).toBeVisible();
  await image(page).getByRole('button', { name: 'Cancel' }).click();
  await expect(button).toHaveAttribute('aria-busy', 'false');
  await expect(image(page).getByRole('progressbar')).toHaveCount(0);
});

test('an unknown address is said to be unknown', async ({ page }) => {
  await page.goto('/no/such/page');
  await expect(page.getByRole('heading', { name: 'Page not found' })).toBeVisible();
  await page.getByRole('link', { name: 'Go to the dashboard' }).click();
  await expect(page).toHaveURL('/login');
});
