/** What the journeys of the viewer start from: a system with some series, and ways to see what the viewer shows. */
import { expect, type Locator, type Page } from '@playwright/test';
import { createAccount, fillLogIn, Stack, test as journey, waitForIndex } from './journey';
import { cellAt, waitForPixels } from './cells';

export { expect };
export { CORPUS } from './stack';

/** Journey data of the viewer; with the corpus also the given folders of it. */
export function viewerTest(...corpus: string[]) {
  return journey.extend({
    running: [
      // eslint-disable-next-line no-empty-pattern -- Playwright asks for a pattern
      async ({}, use) => {
        const stack = await Stack.start();
        const uids = stack.writeData('head', 'thick', 'prior', 'hostile', 'localizer', 'damaged');
        if (process.env.DICOM_CORPUS_DIR && corpus.length > 0) stack.copyCorpus(...corpus);
        await createAccount(stack);
        await waitForIndex(stack, 6 + (process.env.DICOM_CORPUS_DIR ? corpus.length : 0));
        await use({ stack, uids });
        await stack.stop();
      },
      { scope: 'worker', timeout: 120_000 },
    ],
  });
}

/** What most journeys of the viewer run on: one system for all files that use it. */
export const test = viewerTest();

/** Logs in on the way to an address of the viewer, and waits for pixels of the first cell. */
export async function openViewer(page: Page, address: string, index?: number): Promise<Locator> {
  await page.goto(address);
  const user = page.getByLabel('User name');
  await expect(user.or(page.getByRole('heading', { name: 'Viewer' })).first()).toBeAttached();
  if (await user.isVisible()) await fillLogIn(page);
  const cell = cellAt(page);
  await waitForPixels(cell, index);
  return cell;
}

/** The place of a cell, with what stands in its corners. */
export const place = (page: Page, n = 1) => page.getByRole('region', { name: `Picture ${n}`, exact: true });

/** What voices hear of the picture. */
export const alternative = (page: Page, n = 1) => place(page, n).getByRole('img');

/** The grey in the middle of a cell. */
export function middleGrey(cell: Locator): Promise<number> {
  return cell.evaluate(async (element) => {
    const frame = () => new Promise((next) => requestAnimationFrame(next));
    await frame();
    await frame();
    const canvas = element.querySelector('canvas');
    const copy = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    if (!canvas || !copy) return -1;
    copy.drawImage(canvas, -Math.floor(canvas.width / 2), -Math.floor(canvas.height / 2));
    return copy.getImageData(0, 0, 1, 1).data[0] ?? -1;
  });
}
