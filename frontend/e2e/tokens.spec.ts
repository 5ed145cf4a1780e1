import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { ACCOUNT, expect, logIn, test } from './journey';
import { doubleText, findLayoutFaults } from './layout';

async function openTokens(page: Page) {
  await logIn(page);
  await page.getByRole('button', { name: /Account of/ }).click();
  await page.getByRole('link', { name: 'Programs' }).click();
  await expect(page).toHaveURL('/account/tokens');
  await expect(page).toHaveTitle('Programs – Medical Image Server');
}

async function make(page: Page, name: string, rights = 'Read only'): Promise<string> {
  await page.getByRole('button', { name: 'Make a token…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Make a token' });
  await dialog.getByLabel('Program').fill(name);
  await dialog.getByLabel(rights).check();
  await dialog.getByLabel('Your password', { exact: true }).fill(ACCOUNT.password);
  await dialog.getByRole('button', { name: 'Make a token' }).click();
  const secret = page.getByRole('region', { name: `The token for “${name}”` }).getByText(/^mis_/);
  await expect(secret).toHaveText(/^mis_[0-9A-Za-z]{49}$/);
  return secret.innerText();
}

async function revoke(page: Page, name: string) {
  await page.getByRole('button', { name: `Revoke “${name}”` }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await expect(page.getByRole('listitem').filter({ hasText: name })).toHaveCount(0);
}

async function expectNoFindings(page: Page) {
  const { violations } = await new AxeBuilder({ page })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze();
  expect(violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)])).toEqual([]);
}

test.describe('tokens for programs', () => {
  test('are made, used by a program, and revoked', async ({ page, running: { stack } }) => {
    const ask = (secret: string) =>
      fetch(`${stack.apiUrl}/volumes`, { headers: { Authorization: `Bearer ${secret}` } });
    await openTokens(page);
    await expect(page.getByText('No program has a token of yours.')).toBeVisible();
    const secret = await make(page, 'nightly export');
    const item = page.getByRole('list', { name: 'Tokens' }).getByRole('listitem');
    await expect(item).toContainText(/nightly export.*Read only.*Never/s);

    const answer = await ask(secret);
    expect(answer.status).toBe(200);
    expect(((await answer.json()) as { total: number }).total).toBe(4);
    await page.reload();
    await expect(page.getByText(secret), 'it is shown once').toHaveCount(0);
    await expect(item).not.toContainText('Never');

    await revoke(page, 'nightly export');
    await expect(page.getByRole('heading', { name: 'Programs' })).toBeFocused();
    expect((await ask(secret)).status).toBe(401);
    await expect(page.getByText('No program has a token of yours.')).toBeVisible();
  });

  test('are asked for in full, by keyboard alone', async ({ page }) => {
    await openTokens(page);
    await page.getByRole('button', { name: 'Make a token…' }).focus();
    await page.keyboard.press('Enter');
    await expect(page.getByLabel('Program')).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(page.getByText('Give the token a name of at most 64 characters.')).toBeVisible();
    await page.keyboard.type('keyboard');
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowDown');
    await expect(page.getByLabel('Read and write')).toBeChecked();
    await page.getByLabel('It lasts').selectOption('Until the end of a day…');
    await page.getByLabel('Your password', { exact: true }).fill('not the right password');
    await page.keyboard.press('Enter');
    await expect(page.getByText('Choose a day within the next 365 days.')).toBeVisible();
    const lastDay = page.getByLabel('Last day');
    await expect(lastDay).toBeFocused();
    await lastDay.fill((await lastDay.getAttribute('max')) ?? '');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('alert')).toContainText('password is wrong');
    await page.getByLabel('Your password', { exact: true }).fill(ACCOUNT.password);
    await page.keyboard.press('Enter');
    await expect(page.getByRole('button', { name: 'Copy' })).toBeFocused();
    await page.getByRole('button', { name: 'I have kept it' }).click();
    await expect(page.getByRole('list', { name: 'Tokens' })).toContainText('Read and write');
    await page.getByRole('button', { name: 'Make a token…' }).click();
    await page.keyboard.press('Escape');
    await expect(page.getByRole('button', { name: 'Make a token…' })).toBeFocused();
    await revoke(page, 'keyboard');
  });

  test('can be copied', async ({ page, context }) => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await openTokens(page);
    const secret = await make(page, 'clipboard');
    await page.getByRole('button', { name: 'Copy' }).click();
    await expect(page.getByRole('button', { name: 'Copied' })).toBeVisible();
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(secret);
    await revoke(page, 'clipboard');
  });

  for (const [what, width, height, isLarge] of [
    ['text of 200 %', 1280, 900, true],
    ['text of 200 % on a phone', 360, 740, true],
    ['a page at 400 %', 320, 256, false],
  ] as const) {
    test(`with ${what} nothing is cut off or covered`, async ({ page }) => {
      await page.setViewportSize({ width, height });
      await openTokens(page);
      await make(page, 'reading room');
      if (isLarge) await doubleText(page);
      await expect.poll(() => findLayoutFaults(page)).toEqual([]);
      await page.getByRole('button', { name: 'Make a token…' }).click();
      await page.getByLabel('It lasts').selectOption('Until the end of a day…');
      await expect.poll(() => findLayoutFaults(page)).toEqual([]);
      await page.keyboard.press('Escape');
      await revoke(page, 'reading room');
    });
  }

  test('forced colours leave everything to be seen', async ({ page }) => {
    await page.emulateMedia({ forcedColors: 'active' });
    await openTokens(page);
    await make(page, 'contrast');
    const edge = (name: string) =>
      page.getByRole('button', { name, exact: true }).evaluate((one) => {
        const { borderTopColor, backgroundColor } = getComputedStyle(one);
        return borderTopColor !== backgroundColor;
      });
    for (const name of ['Copy', 'I have kept it', 'Make a token…']) expect(await edge(name), name).toBe(true);
    expect(await findLayoutFaults(page)).toEqual([]);
    await revoke(page, 'contrast');
  });

  for (const colorScheme of ['dark', 'light'] as const) {
    test(`axe finds nothing, and nothing is wider than a phone, in ${colorScheme}`, async ({ page }) => {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width: 360, height: 740 });
      await openTokens(page);
      await expectNoFindings(page);
      await make(page, 'a workstation with a rather long name in the reading room', 'Read and write');
      await expectNoFindings(page);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
      await page.getByRole('button', { name: 'Make a token…' }).click();
      await page.getByLabel('It lasts').selectOption('Until the end of a day…');
      await expectNoFindings(page);
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: /Revoke/ }).click();
      await expectNoFindings(page);
      await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
      await expect(page.getByText('No program has a token of yours.')).toBeVisible();
    });
  }
});
