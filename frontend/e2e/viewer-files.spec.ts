/** Files that are hard to show, and files that go while they are looked at. */
import { execFileSync } from 'node:child_process';
import { renameSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { cellAt, meanGrey, readState, waitForPixels } from './cells';
import { createAccount, fillLogIn, Stack, test as journey, waitForIndex } from './journey';
import { expect, middleGrey, place } from './viewerJourney';

const BACKEND = resolve(import.meta.dirname, '../../backend');
const PYTHON = process.env.IMAGESERVER_PYTHON ?? resolve(import.meta.dirname, '../../.venv/bin/python');

/**
 * `shelf`: 60 slices, the grey of slice k (from 0) is 20 + 2 k. `film`: 12 frames for 8 pictures a second, that of
 * frame k is 20 + 15 k. `padded`: values that are drawn by the server only, 400 on the left and 600 on the right;
 * `colour`: three frames of red, green and blue. `huge`: 8192 × 8192 pixels of 16 bits, from 500 to 3500.
 */
const MAKE = `
import sys, json, pathlib
import numpy as np
from tests.builders import image, to_bytes, uid, volume
from tests.journey_data import UNCHANGED, flat
from tests.viewer_data import table
folder = pathlib.Path(sys.argv[1])
def write(name, datasets):
    (folder / name).mkdir()
    for n, dataset in enumerate(datasets):
        (folder / name / f"{n:03}.dcm").write_bytes(to_bytes(dataset))
shelf = volume(60, series="shelf", **UNCHANGED)
for k, dataset in enumerate(shelf):
    dataset.Rows = dataset.Columns = 64
    dataset.PixelData = flat(20 + 2 * k).tobytes()
write("shelf", shelf)
frames = np.stack([flat(20 + 15 * k) for k in range(12)])
places = dict(ImagePositionPatient=None, ImageOrientationPatient=None)
write("film", [image(frames, series="film", NumberOfFrames=12, CineRate=8, Modality="US", **places, **UNCHANGED)])
sides = np.full((64, 64), 400, np.uint16)
sides[:, 32:] = 600
write("padded", [image(sides, series="padded", ModalityLUTSequence=[table(np.arange(1024, dtype=np.uint16), 0, 16)],
                       PixelPaddingValue=1023, WindowCenter=500, WindowWidth=1000)])
paint = np.zeros((3, 64, 64, 3), np.uint8)
for k in range(3):
    paint[k, :, :, k] = 200
write("colour", [image(paint, series="colour", NumberOfFrames=3, FrameTime=250, Modality="US", **places)])
ramp = np.broadcast_to(np.linspace(500, 3500, 8192).astype(np.uint16), (8192, 8192))
write("huge", [image(ramp, series="huge", WindowCenter=2000, WindowWidth=4000)])
names = ("shelf", "film", "padded", "colour", "huge")
print(json.dumps({name: uid(name) for name in names}))
`;

type Made = Record<'shelf' | 'film' | 'padded' | 'colour' | 'huge', string>;

const test = journey.extend<object, { made: Made }>({
  running: [
    // eslint-disable-next-line no-empty-pattern -- Playwright asks for a pattern
    async ({}, use) => {
      const stack = await Stack.start();
      const output = execFileSync(PYTHON, ['-c', MAKE, stack.data], { cwd: BACKEND, encoding: 'utf8' });
      await createAccount(stack);
      await waitForIndex(stack, 5);
      await use({ stack, uids: JSON.parse(output) as never });
      await stack.stop();
    },
    { scope: 'worker', timeout: 120_000 },
  ],
  made: [({ running }, use) => use(running.uids as never), { scope: 'worker' }],
});

async function open(page: Page, address: string): Promise<Locator> {
  await page.goto(address);
  await fillLogIn(page);
  return cellAt(page);
}

const badges = (page: Page) => page.getByTestId('badges');

/** Drags over the middle of a picture with the main button. */
async function drag(page: Page, cell: Locator, across: number, down: number) {
  const { x, y, width, height } = (await cell.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  await page.mouse.move(x + width / 2, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width / 2 + across, y + height / 2 + down, { steps: 4 });
  await page.mouse.up();
}

test('8192 × 8192 pixels are shown, first by the server, and the page goes on', async ({ page, made }) => {
  const cell = await open(page, `/viewer/${made.huge}`);
  // 128 MiB that the server reads and draws.
  await expect(badges(page)).toContainText(/Preview|Complete/, { timeout: 60_000 });
  await waitForPixels(cell, 0);
  // (2000 - 1999.5) / 3999 in the middle of the row, after PS3.3 C.11.2.1.2.1
  expect(Math.abs((await middleGrey(cell)) - 128)).toBeLessThanOrEqual(1);
  await expect(badges(page)).toHaveText('Complete');
  await page.keyboard.press('i');
  await expect.poll(() => middleGrey(cell)).toBeLessThan(128);
  await page.getByRole('button', { name: 'Back', exact: true }).click();
  await expect(page).toHaveURL(/\/studies/);
});

test('a file that goes in mid-series is told; its neighbours stay, and looking again finds it once it is back', async ({
  page,
  made,
  running,
}) => {
  // So little memory that slices beyond those near the middle are fetched only when somebody comes there.
  await page.addInitScript(() => Object.defineProperty(navigator, 'deviceMemory', { get: () => 0.0004 }));
  const cell = await open(page, `/viewer/${made.shelf}?slice=10`);
  await page.getByRole('button', { name: 'Keep near slices only' }).click();
  await waitForPixels(cell, 9);
  const [there, away] = [join(running.stack.data, 'shelf/045.dcm'), join(running.stack.folder, '045.dcm')];
  renameSync(there, away);
  const index = async () => (await readState(cell)).view.index;
  await expect(async () => {
    await page.keyboard.press('End');
    expect(await index()).toBeGreaterThan(50);
  }).toPass();
  const up = async (wanted: number) => {
    for (let n = 0; n < 40 && (await index()) > wanted; n++) await page.keyboard.press('ArrowUp');
    await waitForPixels(cell, wanted);
  };
  await expect(async () => {
    if ((await index()) > 45) await page.keyboard.press('ArrowUp');
    await expect(place(page)).toContainText('it has 59 slices now, 60 before', { timeout: 300 });
  }).toPass();
  await page.keyboard.press('End');
  await waitForPixels(cell, 58);
  await up(45);
  expect(await middleGrey(cell), 'the next one, under its own position').toBe(20 + 2 * 46);
  await expect(place(page)).toContainText('82.0 mm'); // -10 + 2 * 46
  await up(44);
  expect(await middleGrey(cell)).toBe(20 + 2 * 44);

  renameSync(away, there);
  const again = page.getByRole('button', { name: 'Look again' });
  await expect(async () => {
    if (await again.isVisible()) await again.click();
    await expect(again).toHaveCount(0, { timeout: 500 });
  }).toPass();
  await waitForPixels(cell, 44);
  await page.keyboard.press('ArrowDown');
  await waitForPixels(cell, 45);
  expect(await middleGrey(cell)).toBe(20 + 2 * 45);
  await expect(place(page)).toContainText('46 / 60');
});

test('a film runs at the rate of its file, and rests while nobody can see it', async ({ page, made }) => {
  const cell = await open(page, `/viewer/${made.film}`);
  await expect(badges(page)).toHaveText('Complete');
  await expect(page.getByLabel('Frames a second')).toHaveValue('8');
  const index = async () => (await readState(cell)).view.index;
  const before = await index();
  await page.getByRole('button', { name: 'Cine' }).click();
  await expect.poll(index).not.toBe(before);
  expect(await readState(cell)).toMatchObject({ isPlaying: true, framesPerSecond: 8 });
  await page.evaluate(() => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => 'hidden' });
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  await expect.poll(async () => (await readState(cell)).isPlaying).toBe(false);
  const rested = await index();
  await waitForPixels(cell, rested);
  expect(await middleGrey(cell)).toBe(20 + 15 * rested);
});

test('frames in colour are shown in their colours, and say that they have no window', async ({
  page,
  made,
}) => {
  const cell = await open(page, `/viewer/${made.colour}?slice=1`);
  await waitForPixels(cell, 0);
  const colour = () =>
    cell.evaluate((element) => {
      const canvas = element.querySelector('canvas') as HTMLCanvasElement;
      const copy = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
      copy?.drawImage(canvas, -Math.floor(canvas.width / 2), -Math.floor(canvas.height / 2));
      return [...(copy?.getImageData(0, 0, 1, 1).data ?? [])].slice(0, 3);
    });
  await expect.poll(colour).toEqual([200, 0, 0]);
  await page.keyboard.press('ArrowDown');
  await expect.poll(colour).toEqual([0, 200, 0]);
  await expect(page.getByLabel('Frames a second')).toHaveValue('4');
  await drag(page, cell, 40, 0);
  await expect(page.getByTestId('announcer')).toHaveText('A picture in colour has no window to change.');
});

test('a window that is dragged over a picture of the server is drawn by the server', async ({
  page,
  made,
}) => {
  const cell = await open(page, `/viewer/${made.padded}`);
  await waitForPixels(cell, 0);
  await expect(badges(page)).toContainText('Drawn by the server');
  await expect(place(page)).toContainText('W 1000 L 500');
  await drag(page, cell, -60, 0);
  await expect(place(page)).toContainText('set by you');
  await expect(page.getByTestId('server-picture')).toBeVisible();
  await page.getByLabel('Width', { exact: true }).fill('10');
  await page.keyboard.press('Enter');
  const sides = () =>
    page.getByTestId('server-picture').evaluate((element) => {
      const image = element as HTMLImageElement;
      const copy = new OffscreenCanvas(64, 64).getContext('2d', { willReadFrequently: true });
      copy?.drawImage(image, 0, 0);
      return [16, 48].map((x) => copy?.getImageData(x, 32, 1, 1).data[0]);
    });
  await expect.poll(sides).toEqual([0, 255]);
});

test('the magnifier enlarges what lies under the cursor, and goes with the button', async ({
  page,
  made,
}) => {
  const cell = await open(page, `/viewer/${made.shelf}?slice=20`);
  await waitForPixels(cell, 19);
  await page.keyboard.press('m');
  const { x, y, width, height } = (await cell.boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  const glass = cell.locator('canvas[aria-hidden=true]');
  await expect(glass).toHaveCount(0);
  const side = Math.min(width, height);
  // In the bright block of 8 of 64 pixels, near its lower right corner.
  await page.mouse.move(x + width / 2 - side / 2 + side / 10, y + side / 10);
  await page.mouse.down();
  await expect(glass).toBeVisible();
  const greys = () =>
    glass.evaluate((element) => {
      const canvas = element as HTMLCanvasElement;
      const copy = new OffscreenCanvas(canvas.width, canvas.height);
      const context = copy.getContext('2d', { willReadFrequently: true });
      context?.drawImage(canvas, 0, 0);
      const at = (x: number, y: number) =>
        context?.getImageData(x * canvas.width, y * canvas.height, 1, 1).data[0];
      return [at(0.5, 0.5), at(0.9, 0.9)];
    });
  expect(await greys()).toEqual([250, 20 + 2 * 19]);
  await page.mouse.move(x + width / 2, y + height / 2);
  await expect.poll(greys).toEqual([58, 58]);
  await page.mouse.up();
  await expect(glass).toHaveCount(0);
  expect(await meanGrey(cell)).toBeGreaterThan(10);
});
