/** Axial, coronal and sagittal of a volume: cut in the browser, or by the server; refused with a reason. */
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { createAccount, expect, getToken, logIn, Stack, test as base, waitForIndex } from './journey';
import { CORPUS } from './stack';

const FRONTEND = resolve(import.meta.dirname, '..');
const PYTHON = process.env.IMAGESERVER_PYTHON ?? resolve(FRONTEND, '../.venv/bin/python');

/**
 * Series made for this: `marker`, 40 slices of 48 × 64 pixels of 0.5 mm, 1.5 mm apart, whose one bright voxel is that
 * of column 36, row 12, slice 30; and series that cannot be cut.
 */
const MAKE = `
import sys, json, pathlib
import numpy as np
from tests.builders import image, to_bytes, uid, volume
folder = pathlib.Path(sys.argv[1])
common = dict(WindowCenter=500, WindowWidth=1000, study="planes")
def write(name, datasets):
    for n, dataset in enumerate(datasets):
        (folder / f"{name}{n:03}").write_bytes(to_bytes(dataset))
values = np.full((40, 48, 64), 100, np.int16)
values[:, 8:40, 8:56] = 400
values[30, 12, 36] = 1000
write("marker", [image(v, series="marker", instance=k + 1, ImagePositionPatient=[-16, -12, -30 + 1.5 * k],
      SeriesDescription="Marker", **common) for k, v in enumerate(values)])
write("one", [image(series="one", **common)])
colour = dict(pixels=np.zeros((8, 8, 3), np.uint8), study="planes")
write("colour", volume(4, series="colour", **colour))
heights = [0, 2, 4, 6, 14, 16]
write("gaps", [image(series="gaps", instance=n + 1, ImagePositionPatient=[0, 0, z], **common)
      for n, z in enumerate(heights)])
print(json.dumps({name: uid(name) for name in ("marker", "one", "colour", "gaps")}))
`;

type Made = Record<'marker' | 'one' | 'colour' | 'gaps', string>;

const test = base.extend<object, { planes: { stack: Stack; made: Made; head: string; localizer: string } }>({
  planes: [
    // eslint-disable-next-line no-empty-pattern -- Playwright asks for a pattern
    async ({}, use) => {
      const stack = await Stack.start();
      const output = execFileSync(PYTHON, ['-c', MAKE, stack.data], {
        cwd: resolve(FRONTEND, '../backend'),
        encoding: 'utf8',
      });
      const uids = stack.writeData('head', 'localizer');
      await createAccount(stack);
      await waitForIndex(stack, 6);
      await use({
        stack,
        made: { ...(JSON.parse(output) as Made) },
        head: uids.head,
        localizer: uids.localizer,
      });
      await stack.stop();
    },
    { scope: 'worker', timeout: 120_000 },
  ],
});

const pane = (page: Page, name: string) => page.getByRole('slider', { name: new RegExp(`${name} plane`) });
const indexOf = (page: Page, name: string) =>
  page.getByRole('region', { name: `${name} plane`, exact: false }).getByTestId('plane-index');

async function openPlanes(page: Page, stack: Stack, series: string, query = ''): Promise<void> {
  await logIn(page, stack.webUrl);
  await page.goto(`${stack.webUrl}/viewer/${series}?layout=planes${query}`);
}

/** Grey values of a pane, and where its crosshair is, in CSS pixels. */
async function look(target: Locator) {
  return target.evaluate((element) => {
    const canvas = element.querySelector('canvas') as HTMLCanvasElement;
    const cross = element.querySelector('svg') as SVGElement;
    const ratio = canvas.width / canvas.clientWidth;
    const copy = new OffscreenCanvas(canvas.width, canvas.height);
    const context = copy.getContext('2d', { willReadFrequently: true }) as OffscreenCanvasRenderingContext2D;
    context.drawImage(canvas, 0, 0);
    const { data, width, height } = context.getImageData(0, 0, canvas.width, canvas.height);
    let [most, at] = [-1, 0];
    for (let i = 0; i < data.length; i += 4)
      if ((data[i] as number) > most) [most, at] = [data[i] as number, i / 4];
    return {
      shown: canvas.dataset.shown,
      brightest: most,
      place: [(at % width) / ratio, Math.floor(at / width) / ratio] as [number, number],
      cross: [Number(cross.dataset.x), Number(cross.dataset.y)] as [number, number],
      isEmpty: most <= 0,
      size: [width / ratio, height / ratio],
    };
  });
}

test.describe('planes of a volume', () => {
  test('the crosshair at a voxel shows it in all three panes', async ({ page, planes: { stack, made } }) => {
    await openPlanes(page, stack, made.marker);
    const [axial, coronal, sagittal] = [pane(page, 'axial'), pane(page, 'coronal'), pane(page, 'sagittal')];
    await expect(indexOf(page, 'Axial')).toHaveText('21 / 40');
    for (const one of [axial, coronal, sagittal])
      await expect.poll(async () => (await look(one)).isEmpty).toBe(false);
    // Slice 31, by the wheel; the bright voxel is in it, and the crosshair goes there by a click on it.
    await axial.hover({ position: { x: 40, y: 40 } });
    for (let i = 0; i < 10; i++) await page.mouse.wheel(0, 60);
    await expect(indexOf(page, 'Axial')).toHaveText('31 / 40');
    await expect.poll(async () => (await look(axial)).brightest).toBeGreaterThan(200);
    const { place } = await look(axial);
    await axial.click({ position: { x: place[0] + 4, y: place[1] + 4 } });
    // 13th row from the front; the 37th column is the 28th plane counted to the right.
    await expect(indexOf(page, 'Coronal')).toHaveText('13 / 48');
    await expect(indexOf(page, 'Sagittal')).toHaveText('28 / 64');
    for (const one of [coronal, sagittal]) {
      await expect.poll(async () => (await look(one)).brightest).toBeGreaterThan(200);
      const seen = await look(one);
      // The first bright pixel found is the upper left corner of the voxel.
      expect(Math.abs(seen.place[0] - seen.cross[0])).toBeLessThan(20);
      expect(Math.abs(seen.place[1] - seen.cross[1])).toBeLessThan(30);
    }
  });

  test('letters, position and badges are in every pane', async ({ page, planes: { stack, made } }) => {
    await openPlanes(page, stack, made.marker);
    for (const [name, letters] of [
      ['Axial', ['A', 'P', 'R', 'L']],
      ['Coronal', ['H', 'F', 'R', 'L']],
      ['Sagittal', ['H', 'F', 'A', 'P']],
    ] as const) {
      const region = page.getByRole('region', { name: `${name} plane` });
      for (const letter of letters) await expect(region.getByText(letter, { exact: true })).toBeVisible();
      await expect(region.getByText(/mm$/).first()).toBeVisible();
    }
    const resampled = (name: string) =>
      page.getByRole('region', { name: `${name} plane` }).getByText('Resampled');
    await expect(resampled('Coronal')).toBeVisible();
    await expect(resampled('Axial')).toHaveCount(0);
    // Slice 21 of 40 lies at -30 + 20 × 1.5 mm.
    await expect(
      page.getByRole('region', { name: 'Axial plane' }).getByText('0.0 mm', { exact: true }),
    ).toBeVisible();
  });

  test('a slab shows a bright voxel of another plane, as its maximum only', async ({
    page,
    planes: { stack, made },
  }) => {
    await openPlanes(page, stack, made.marker);
    const axial = pane(page, 'axial');
    await expect.poll(async () => (await look(axial)).isEmpty).toBe(false);
    expect((await look(axial)).brightest).toBeLessThan(150);
    await page.getByRole('button', { name: 'MIP', exact: true }).click();
    // Ten slices away: 15 mm, so a slab of 32 mm reaches it.
    await page.getByRole('spinbutton', { name: 'Thickness of the slab' }).fill('32');
    await page.keyboard.press('Enter');
    await expect.poll(async () => (await look(axial)).brightest).toBeGreaterThan(200);
    await page.getByRole('button', { name: 'Average', exact: true }).click();
    await expect.poll(async () => (await look(axial)).brightest).toBeLessThan(160);
    await page.getByRole('button', { name: 'Reset' }).click();
    await expect(page.getByRole('spinbutton', { name: 'Thickness of the slab' })).toHaveValue('0');
  });

  test('dragging the crosshair moves the others; keys scroll the active pane', async ({
    page,
    planes: { stack, made },
  }) => {
    await openPlanes(page, stack, made.marker);
    const coronal = pane(page, 'coronal');
    await expect.poll(async () => (await look(coronal)).isEmpty).toBe(false);
    const { cross } = await look(coronal);
    const box = await coronal.boundingBox();
    if (!box) throw new Error('no box');
    await page.mouse.move(box.x + cross[0], box.y + cross[1]);
    await page.mouse.down();
    await page.mouse.move(box.x + cross[0], box.y + cross[1] - 30, { steps: 5 });
    await page.mouse.up();
    // Upwards in a coronal picture is towards the head.
    await expect
      .poll(async () => Number((await indexOf(page, 'Axial').textContent())?.split(' ')[0]))
      .toBeGreaterThan(21);
    await expect(indexOf(page, 'Coronal')).toHaveText('25 / 48');
    await coronal.press('ArrowDown');
    await expect(indexOf(page, 'Coronal')).toHaveText('26 / 48');
    await coronal.press('Home');
    await expect(indexOf(page, 'Coronal')).toHaveText('1 / 48');
    await coronal.press('Shift+Digit3');
    await expect(pane(page, 'sagittal')).toBeFocused();
    await page.keyboard.press(']');
    await expect(page.getByRole('spinbutton', { name: 'Thickness of the slab' })).toHaveValue('1');
  });

  test('the pictures are those of the server, within one grey level', async ({
    page,
    planes: { stack, head },
  }) => {
    await openPlanes(page, stack, head);
    const names = ['axial', 'coronal', 'sagittal'];
    for (const name of names)
      await expect.poll(async () => (await look(pane(page, name))).isEmpty).toBe(false);
    await expect(page.getByText(/^\d+ \/ \d+$/).first()).toBeVisible();
    const token = await getToken(stack);
    for (const name of names) {
      const [index = 0] = ((await indexOf(page, capital(name)).textContent()) ?? '').split(' / ').map(Number);
      const address = `${stack.apiUrl}/reslice?series=${head}&plane=${name}&index=${index - 1}`;
      const answer = await fetch(address, { headers: { Authorization: `Bearer ${token}` } });
      const png = Buffer.from(await answer.arrayBuffer()).toString('base64');
      const difference = await pane(page, name).evaluate(async (element, data) => {
        const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
        const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
        const canvas = element.querySelector('canvas') as HTMLCanvasElement;
        const read = (source: CanvasImageSource, width: number, height: number) => {
          const context = new OffscreenCanvas(width, height).getContext(
            '2d',
          ) as OffscreenCanvasRenderingContext2D;
          context.drawImage(source, 0, 0, width, height);
          return context.getImageData(0, 0, width, height).data;
        };
        // The pane as it is, beside the server's picture drawn into the same place.
        const copy = new OffscreenCanvas(canvas.width, canvas.height);
        const context = copy.getContext('2d') as OffscreenCanvasRenderingContext2D;
        const scale = Math.min(canvas.width / bitmap.width, canvas.height / bitmap.height);
        const [x, y] = [
          (canvas.width - bitmap.width * scale) / 2,
          (canvas.height - bitmap.height * scale) / 2,
        ];
        context.fillRect(0, 0, copy.width, copy.height);
        context.setTransform(scale, 0, 0, scale, x, y);
        context.drawImage(bitmap, 0, 0);
        const [ours, theirs] = [
          read(canvas, canvas.width, canvas.height),
          read(copy, copy.width, copy.height),
        ];
        let [worst, sum] = [0, 0];
        for (let i = 0; i < ours.length; i += 4) {
          const by = Math.abs((ours[i] as number) - (theirs[i] as number));
          worst = Math.max(worst, by);
          sum += by;
        }
        return { worst, mean: sum / (ours.length / 4) };
      }, png);
      expect(difference.mean, name).toBeLessThan(0.05);
      expect(difference.worst, name).toBeLessThanOrEqual(2);
    }
  });

  test('series that are no volumes say why, and show their slices', async ({
    page,
    planes: { stack, made, localizer },
  }) => {
    await openPlanes(page, stack, made.one);
    const refused = (why: RegExp) => expect(page.getByText(why)).toBeVisible();
    await refused(/cannot be shown in other planes.*only one slice/);
    await page.goto(`${stack.webUrl}/viewer/${made.colour}?layout=planes`);
    await refused(/colour pictures/);
    await page.goto(`${stack.webUrl}/viewer/${made.gaps}?layout=planes`);
    await refused(/Slices are missing: neighbours are up to 8.00 mm apart/);
    await page.goto(`${stack.webUrl}/viewer/${localizer}?layout=planes`);
    await refused(/This is a localizer/);
    await page.getByRole('button', { name: 'Show the slices' }).click();
    await expect(page.getByRole('group', { name: 'Pictures' })).toBeVisible();
    await expect(page.getByText(/cannot be shown in other planes/)).toHaveCount(0);
  });

  test('a volume that does not fit is cut by the server', async ({ page, planes: { stack, made } }) => {
    // Of the memory that the page may use, hardly anything is left.
    await page.addInitScript(() => Object.defineProperty(navigator, 'deviceMemory', { value: 0.0005 }));
    await openPlanes(page, stack, made.marker);
    await expect(page.getByText(/of memory; this page may use/)).toBeVisible();
    await page.getByRole('button', { name: 'Let the server cut' }).click();
    const axial = pane(page, 'axial');
    await expect.poll(async () => (await look(axial)).isEmpty).toBe(false);
    await expect(page.getByText('Server’s reslice')).toHaveCount(3);
    await axial.hover({ position: { x: 40, y: 40 } });
    for (let i = 0; i < 10; i++) await page.mouse.wheel(0, 60);
    await expect(indexOf(page, 'Axial')).toHaveText('31 / 40');
    await expect.poll(async () => (await look(axial)).brightest).toBeGreaterThan(200);
  });

  test('planes take the slices that are here already', async ({ page, planes: { stack, made } }) => {
    await logIn(page, stack.webUrl);
    await page.goto(`${stack.webUrl}/viewer/${made.marker}`);
    await expect(page.getByTestId('badges').getByText('Complete')).toBeVisible();
    const fetched: string[] = [];
    page.on('request', (request) => {
      if (/\/(frames|slices|metadata)\b/.test(request.url())) fetched.push(request.url());
    });
    await page.keyboard.press('x');
    await expect.poll(async () => (await look(pane(page, 'coronal'))).isEmpty).toBe(false);
    await expect(pane(page, 'axial')).toHaveAttribute('aria-valuenow', '21');
    await page.keyboard.press('ArrowDown');
    await expect(indexOf(page, 'Axial')).toHaveText('22 / 40');
    // And back, at the slice through the crosshair.
    await page.keyboard.press('x');
    await expect(page.getByTestId('badges').getByText('Complete')).toBeVisible();
    await expect(page.getByText('22 / 40')).toBeVisible();
    expect(fetched).toEqual([]);
  });

  test('one pane with a switch on a phone', async ({ page, planes: { stack, made } }) => {
    await page.setViewportSize({ width: 360, height: 740 });
    await openPlanes(page, stack, made.marker);
    await expect(pane(page, 'axial')).toBeVisible();
    await expect(pane(page, 'coronal')).toBeHidden();
    await page.getByRole('button', { name: 'Coronal', exact: true }).click();
    await expect(pane(page, 'coronal')).toBeVisible();
    await expect.poll(async () => (await look(pane(page, 'coronal'))).isEmpty).toBe(false);
  });
});

const capital = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);

test('planes of a real CT', async ({ page }) => {
  test.skip(!CORPUS, 'needs the corpus');
  const stack = await Stack.start();
  try {
    stack.copyCorpus('ct_philips_phantom');
    await createAccount(stack);
    await waitForIndex(stack, 1);
    const answer = await fetch(`${stack.apiUrl}/volumes`, {
      headers: { Authorization: `Bearer ${await getToken(stack)}` },
    });
    const { volumes } = (await answer.json()) as { volumes: { series_instance_uid: string }[] };
    await openPlanes(page, stack, volumes[0]?.series_instance_uid ?? '');
    for (const name of ['axial', 'coronal', 'sagittal'])
      await expect.poll(async () => (await look(pane(page, name))).isEmpty).toBe(false);
  } finally {
    await stack.stop();
  }
});
