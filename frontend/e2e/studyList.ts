/** What the journeys of the study list start from: the system with 129 studies, of which nine are odd. */
import type { Locator, Page } from '@playwright/test';
import { ACCOUNT, createAccount, expect, fillLogIn, getToken, Stack, test as base } from './journey';

export const PLAIN = 120;
export const ALL = PLAIN + 9;

export const test = base.extend<object, { running: { stack: Stack; uids: never } }>({
  running: [
    // eslint-disable-next-line no-empty-pattern -- Playwright asks for a pattern
    async ({}, use) => {
      const stack = await startWithStudies(PLAIN);
      await use({ stack, uids: undefined as never });
      await stack.stop();
    },
    { scope: 'worker', timeout: 120_000 },
  ],
});

export { ACCOUNT, expect, Stack };

export async function startWithStudies(plain: number): Promise<Stack> {
  const stack = await Stack.start();
  try {
    await createAccount(stack);
    stack.writeStudies(0, plain);
    await waitForStudies(stack, plain + 9);
  } catch (error) {
    await stack.stop();
    throw error;
  }
  return stack;
}

/** Waits until so many studies are listed and nothing more is being read. */
export async function waitForStudies(stack: Stack, total: number): Promise<void> {
  const headers = { Authorization: `Bearer ${await getToken(stack)}` };
  await expect
    .poll(
      async () => {
        const answer = await fetch(`${stack.apiUrl}/studies?limit=1`, { headers });
        const list = (await answer.json()) as { total: number; index: { state: string } };
        return `${list.total} ${list.index.state}`;
      },
      { timeout: 60_000 },
    )
    .toBe(`${total} ready`);
}

export async function openList(page: Page, address = '/studies', account = ACCOUNT): Promise<void> {
  await page.goto(address);
  await fillLogIn(page, account);
  await expect(page.getByRole('heading', { name: 'Studies', exact: true })).toBeAttached();
}

export const grid = (page: Page) => page.getByRole('grid', { name: 'Studies' });
export const rows = (page: Page) => grid(page).locator('[role=row][data-study]');
export const names = (page: Page) => rows(page).locator('.name');
export const searchBox = (page: Page) => page.getByRole('textbox', { name: 'Search studies' });
export const pages = (page: Page) => page.getByRole('navigation', { name: 'Pages of the list' });
export const filters = (page: Page) => page.getByRole('group', { name: 'Filters' });
export const preview = (page: Page) => page.getByRole('region', { name: 'Preview' });
export const cell = (row: Locator, column: string) => row.locator(`.${column}`);
