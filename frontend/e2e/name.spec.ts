import { expect, logIn, patientPanel, showName, test } from './journey';

test.describe('the patient name', () => {
  test('is asked for by a click only, and appears in all its writings', async ({ page }) => {
    const bodies: Promise<string>[] = [];
    page.on('response', (response) => {
      if (/\/(volumes|patient|slice)/.test(response.url())) bodies.push(response.text());
    });
    await logIn(page);
    await expect(page.getByText('Head 2.5 mm')).toBeVisible();
    expect((await Promise.all(bodies)).join()).not.toMatch(/Yamada|山田|HEAD-1/);

    await showName(page);
    const panel = patientPanel(page);
    await expect(panel.getByText('Yamada, Tarou', { exact: true })).toBeVisible();
    await expect(panel.getByText('山田, 太郎')).toHaveAttribute('lang', 'ja');
    await expect(panel.getByText('やまだ, たろう')).toBeVisible();
    await expect(panel.getByText('HEAD-1')).toBeVisible();
    await expect(panel.getByText('17 May 1961')).toBeVisible();
    await expect(panel.getByText('Male')).toBeVisible();
    await expect(panel).not.toContainText(/[\^=]/, { useInnerText: true });
    await expect(page.getByTestId('announcer')).toHaveText('Patient name: Yamada, Tarou');
  });

  test('is text, whatever it looks like', async ({ page, running }) => {
    let ran = false;
    page.on('dialog', (dialog) => {
      ran = true;
      void dialog.dismiss();
    });
    await logIn(page, `/dashboard?series=${running.uids.hostile}`);
    await expect(page.getByText('<b>bold</b> {{7*7}}')).toBeVisible();
    await showName(page);
    const panel = patientPanel(page);
    await expect(panel.getByText('<script>alert(1)</script>', { exact: true }).first()).toBeVisible();
    await expect(panel.getByText('<img src=x onerror=alert(2)>')).toBeVisible();
    await expect(panel.locator('img, script')).toHaveCount(0);
    expect(ran).toBe(false);
  });

  test('that is missing is said to be missing', async ({ page, running }) => {
    await logIn(page, `/dashboard?series=${running.uids.damaged}`);
    await showName(page);
    await expect(patientPanel(page)).toContainText('No patient name in this file.');
    await expect(patientPanel(page)).not.toContainText(/undefined|null|None/);
  });
});
