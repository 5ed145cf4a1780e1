import type { Route } from '@playwright/test';
import { findLayoutFaults } from './layout';
import { expect, logIn, picture, readPicture, showImage, test } from './journey';

// backend/tests/journey_data.py: slice k of 11, from 0, has the grey 20 + 15 k and a corner of 250.
const grey = (k: number) => 20 + 15 * k;

test.describe('the image', () => {
  test('is the slice in the middle of the volume, with the file’s window', async ({ page }) => {
    await logIn(page);
    await showImage(page);
    // Of 11 slices number 6 is in the middle (11 // 2 = 5 from 0), by position and not by file or number.
    await expect(page.getByText('Slice 6 of 11, ordered by position', { exact: true }).first()).toBeVisible();
    expect(await readPicture(page)).toEqual({ size: [64, 64], middle: grey(5), corner: 250 });
    await expect(picture(page)).toHaveAccessibleName('CT image, Slice 6 of 11, ordered by position');
  });

  test('has orientation, place, window and scale around it', async ({ page }) => {
    await logIn(page);
    await showImage(page);
    const well = page.getByRole('group', { name: 'Picture' });
    // Axial, rows from right to left, columns from front to back (PS3.3 C.7.6.2.1.1).
    for (const [edge, letter] of [
      ['left', 'R'],
      ['right', 'L'],
      ['top', 'A'],
      ['bottom', 'P'],
    ] as const) {
      await expect(well.locator(`.edge.${edge}`)).toHaveText(letter);
    }
    await expect(well).toContainText('6 / 11');
    // The first lies at -20 mm, then every 2.5 mm: -20 + 5 * 2.5.
    await expect(well).toContainText('−7.5 mm');
    await expect(well).toContainText('W 256 L 128 · WHOLE · from the file');
    await expect(well).toContainText(/\d (cm|mm)/);
    await page.getByText('Why this slice?').click();
    await expect(page.getByText('Slice 6 of 11, ordered by position along the normal')).toBeVisible();
  });

  test('follows keys, wheel and slider', async ({ page }) => {
    await logIn(page);
    await showImage(page);
    const well = page.getByRole('group', { name: 'Picture' });
    await expect(well).toBeFocused();
    // How the slices are ordered is told by another answer than the picture's; what is announced says what is known.
    await expect(page.getByText('Slice 6 of 11, ordered by position', { exact: true }).first()).toBeVisible();
    const seen = (k: number) => expect.poll(async () => (await readPicture(page)).middle).toBe(grey(k));

    await page.keyboard.press('ArrowDown');
    await seen(6);
    await expect(page.getByTestId('announcer')).toHaveText('Slice 7 of 11, ordered by position');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowUp');
    await seen(4);
    await page.keyboard.press('Home');
    await seen(0);
    await page.keyboard.press('End');
    await seen(10);
    await well.hover();
    await page.mouse.wheel(0, -120);
    await seen(8);
    await page.getByRole('slider', { name: 'Slice' }).fill('2');
    await seen(2);
    await page.getByRole('button', { name: 'Next slice' }).click();
    await seen(3);
  });

  test('is the last one asked for, even if earlier ones come late', async ({ page }) => {
    await logIn(page);
    await showImage(page);
    await expect(picture(page)).toBeVisible();
    await page.route('**/slice?*index=6*', async (route) => {
      await new Promise((later) => setTimeout(later, 800));
      await route.continue().catch(() => {});
    });
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await expect.poll(async () => (await readPicture(page)).middle).toBe(grey(7));
    await page.waitForTimeout(1200);
    expect((await readPicture(page)).middle).toBe(grey(7));
  });

  test('has its true proportion', async ({ page, running }) => {
    await logIn(page, `/dashboard?series=${running.uids.hostile}`);
    await showImage(page);
    expect((await readPicture(page)).size).toEqual([64, 64]);
    // Pixel Spacing 2 \ 1: rows lie twice as far apart as columns (PS3.3 10.7.1.3).
    const box = await picture(page).boundingBox();
    expect((box?.height ?? 0) / (box?.width ?? 1)).toBeCloseTo(2, 1);
  });

  test('carries the overlays of its file on request', async ({ page, running }) => {
    await logIn(page, `/dashboard?series=${running.uids.hostile}`);
    await showImage(page);
    expect((await readPicture(page)).middle).toBe(100);
    await page.getByRole('checkbox', { name: 'Overlays <i>cover</i>' }).check();
    await expect.poll(async () => (await readPicture(page)).middle).toBe(255);
    await page.getByRole('checkbox', { name: /^Overlays/ }).uncheck();
    await expect.poll(async () => (await readPicture(page)).middle).toBe(100);
  });

  test('of a localizer is chosen by number, and each stack’s middle is one click away', async ({
    page,
    running,
  }) => {
    await logIn(page, `/dashboard?series=${running.uids.localizer}`);
    await showImage(page);
    await expect(
      page.getByText('Slice 3 of 5, ordered by instance number', { exact: true }).first(),
    ).toBeVisible();
    expect((await readPicture(page)).middle).toBe(50 + 40 * 2);
    await page.getByText('Why this slice?').click();
    await expect(page.getByText('with no common direction')).toBeVisible();

    await page.getByRole('button', { name: /^Sagittal/ }).click();
    await expect.poll(async () => (await readPicture(page)).middle).toBe(50 + 40 * 1);
    await expect(page.getByText('Slice 2 of 3, ordered by position', { exact: true }).first()).toBeVisible();
    await page.getByRole('button', { name: /^Coronal/ }).click();
    await expect.poll(async () => (await readPicture(page)).middle).toBe(50 + 40 * 3);
  });

  test('leads into the viewer also for who is quicker than the list of volumes', async ({ page }) => {
    let release = () => {};
    const held = new Promise<void>((done) => (release = done));
    await page.route('**/volumes?*', async (route) => {
      await held;
      await route.continue().catch(() => {});
    });
    await logIn(page);
    await showImage(page);
    await expect(picture(page)).toBeVisible();
    await expect(page.getByText('Head 2.5 mm'), 'the list is not there yet').toHaveCount(0);
    await page.getByText('Why this slice?').click();
    await expect(page.getByText('Slice 6 of 11, ordered by position along the normal')).toBeVisible();
    release();
    await expect(page.getByText('Head 2.5 mm')).toBeVisible();
    await expect(picture(page), 'what is shown stays').toBeVisible();
    await page.getByRole('link', { name: 'Open in the viewer' }).click();
    await expect(page).toHaveURL(/\/viewer\/[\d.]+\?.*slice=6/);
  });

  test('that cannot be decoded is named, and its neighbours are offered', async ({ page, running }) => {
    await logIn(page, `/dashboard?series=${running.uids.damaged}`);
    await showImage(page);
    const error = page.getByRole('region', { name: 'Image' }).getByRole('alert');
    await expect(error).toContainText('Slice 3 of 5 cannot be shown');
    await expect(picture(page)).toHaveCount(0);
    await error.getByRole('button', { name: 'Slice 4' }).click();
    expect((await readPicture(page)).middle).toBe(103);
  });

  for (const width of [1280, 360]) {
    test(`stays beside words of any length at ${width} px`, async ({ page, running }) => {
      await page.setViewportSize({ width, height: 740 });
      const answerWith = (members: object) => async (route: Route) => {
        const headers = { 'Access-Control-Allow-Origin': '*' };
        await route.fulfill({ headers, json: { ...(await (await route.fetch()).json()), ...members } });
      };
      // Nothing in them tells where to break.
      await page.route(/\/volumes\/[\d.]+\?/, answerWith({ description: 'D'.repeat(300) }));
      await page.route(/\/patient\?/, answerWith({ name: 'W'.repeat(300), patient_id: 'L'.repeat(64) }));
      await logIn(page, `/dashboard?series=${running.uids.head}`);
      await expect(page.getByText('D'.repeat(300))).toBeVisible();
      await page.getByRole('button', { name: 'Show patient name' }).click();
      await expect(page.getByText('W'.repeat(300)).first()).toBeVisible();
      await showImage(page);
      // With what describes the series, which comes by itself.
      await expect(
        page.getByText('Slice 6 of 11, ordered by position', { exact: true }).first(),
      ).toBeVisible();
      await expect.poll(() => findLayoutFaults(page)).toEqual([]);
      await page.unrouteAll({ behavior: 'ignoreErrors' });
    });
  }

  test('of a series with images of another patient says so, in words, beside the picture', async ({
    page,
  }) => {
    // As the server answers for such a series (docs/geometry.md); the rest of the answer is its own.
    await page.route(/\/volumes\/[\d.]+\?/, async (route) => {
      const answer = await route.fetch();
      const message = '2 images belong to another patient, in stacks of their own.';
      const excluded = [{ code: 'other_patient', message, sop_instance_uids: [] }];
      const headers = { 'Access-Control-Allow-Origin': '*' };
      await route.fulfill({ headers, json: { ...(await answer.json()), excluded } });
    });
    await logIn(page);
    await expect(page.getByText('Head 2.5 mm')).toBeVisible();
    await showImage(page);
    const warning = page.getByRole('region', { name: 'Image' }).getByRole('status');
    await expect(warning).toContainText('Warning: This series holds images of another patient.');
    await expect(warning).toContainText('2 images belong to another patient');
  });
});
