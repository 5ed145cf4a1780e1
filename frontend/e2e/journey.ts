/** What each journey starts from: the running system, an account, and a page that reports what it should not do. */
import { expect, test as base, type Page } from '@playwright/test';
import { ACCOUNT, Stack, type Uids } from './stack';

interface Running {
  stack: Stack;
  uids: Uids;
}

export { ACCOUNT, expect, Stack };

/** Answers that journeys provoke; anything else on the console is a failure. */
const EXPECTED = /Failed to load resource|ERR_|blocked by CORS policy/;

/**
 * Makes `page.route` wait until requests of the page that is open meet it. The browser says that it intercepts before
 * the page's own process has heard of it: under load the next request still went past.
 */
function routeForSure(page: Page): void {
  const route = page.route.bind(page);
  const probe = '**/is-intercepted';
  page.route = async (...asked) => {
    const disposable = await route(...asked);
    if (page.url() === 'about:blank') return disposable;
    await route(probe, (one) => one.fulfill({ body: 'yes' }));
    const ask = () =>
      page.evaluate(() =>
        fetch('/is-intercepted').then(
          (answer) => answer.text(),
          () => '',
        ),
      );
    await expect.poll(ask, { intervals: [0, 20, 50, 100] }).toBe('yes');
    await page.unroute(probe);
    return disposable;
  };
}

export const test = base.extend<{ quietConsole: undefined }, { running: Running }>({
  page: async ({ page }, use) => {
    routeForSure(page);
    await use(page);
  },
  running: [
    // eslint-disable-next-line no-empty-pattern -- Playwright asks for a pattern
    async ({}, use) => {
      const stack = await Stack.start();
      const uids = stack.writeData('head', 'hostile', 'localizer', 'damaged');
      await createAccount(stack);
      await waitForIndex(stack, 4);
      await use({ stack, uids });
      await stack.stop();
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  baseURL: ({ running }, use) => use(running.stack.webUrl),
  quietConsole: [
    async ({ context }, use) => {
      const said: string[] = [];
      context.on('console', (message) => {
        if (['error', 'warning'].includes(message.type()) && !EXPECTED.test(message.text()))
          said.push(message.text());
      });
      context.on('weberror', (error) => said.push(String(error.error())));
      await use(undefined);
      expect(said, 'errors and violations of the Content-Security-Policy on the console').toEqual([]);
    },
    { auto: true },
  ],
});

/** Creates an account as a person does it, but without a browser: journeys that are not about it save the time. */
export async function createAccount(stack: Stack, account = ACCOUNT): Promise<void> {
  const code = new URL(await stack.readSetupLink()).hash.slice('#code='.length);
  const answer = await fetch(`${stack.apiUrl}/auth/setup`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ code, ...account }),
  });
  expect(answer.status, await answer.text()).toBe(201);
}

export async function getToken(stack: Stack, account = ACCOUNT): Promise<string> {
  const answer = await fetch(`${stack.apiUrl}/auth/token`, {
    method: 'POST',
    body: new URLSearchParams(account),
  });
  return ((await answer.json()) as { access_token: string }).access_token;
}

export async function waitForIndex(stack: Stack, volumes: number): Promise<void> {
  const headers = { Authorization: `Bearer ${await getToken(stack)}` };
  await expect
    .poll(
      async () => {
        const answer = await fetch(`${stack.apiUrl}/volumes?limit=1`, { headers });
        return ((await answer.json()) as { total: number }).total;
      },
      { timeout: 30_000 },
    )
    .toBe(volumes);
}

export async function fillLogIn(page: Page, account = ACCOUNT): Promise<void> {
  await page.getByLabel('User name').fill(account.username);
  await page.getByLabel('Password', { exact: true }).fill(account.password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

export async function logIn(page: Page, url = '/', account = ACCOUNT): Promise<void> {
  await page.goto(url);
  await fillLogIn(page, account);
  await expect(page.getByRole('button', { name: 'Show patient name' })).toBeVisible();
}

export const showName = (page: Page) => page.getByRole('button', { name: 'Show patient name' }).click();
export const showImage = (page: Page) => page.getByRole('button', { name: 'Show image' }).click();
export const patientPanel = (page: Page) => page.getByRole('region', { name: 'Patient' });
export const picture = (page: Page) => page.getByRole('region', { name: 'Image' }).getByRole('img');

/** Grey values of the picture as it came from the server: its middle, and its upper left corner. */
export async function readPicture(
  page: Page,
): Promise<{ size: [number, number]; middle: number; corner: number }> {
  await expect(picture(page)).toBeVisible();
  return picture(page).evaluate((element) => {
    const image = element as HTMLImageElement;
    const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    if (!context) throw new Error('no canvas');
    context.drawImage(image, 0, 0);
    const grey = (x: number, y: number) => context.getImageData(x, y, 1, 1).data[0] ?? -1;
    return {
      size: [canvas.width, canvas.height] as [number, number],
      middle: grey(canvas.width / 2, canvas.height / 2),
      corner: grey(2, 2),
    };
  });
}
