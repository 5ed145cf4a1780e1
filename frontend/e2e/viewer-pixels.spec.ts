/**
 * The viewer's canvas equals the server's picture of the same slice and window: for every transfer syntax of the
 * corpus, of the files that pydicom brings, and for what `backend/tests/viewer_data.py` makes. At one pixel of the
 * screen for each column no grey level differs by more than TOLERANCE. Differences come from lossy JPEG in colour
 * only: two decoders round differently (PS3.5 8.2.1 does not fix the inverse transform).
 */
import { createAccount, expect, getToken, logIn, Stack, test as base } from './journey';
import { cellAt, readPicture, readState, showSlice, waitForPixels } from './cells';
import { CORPUS } from './stack';

const TOLERANCE = 1;
const FOLDERS = [
  'transfer_syntaxes_one_slice',
  'compressed',
  'colour',
  'misc',
  'mr_enhanced_siemens',
  'mr_enhanced_philips',
  'mr_jpegls_series',
  'mr_ge_sagittal',
  'ct_philips_phantom',
];

/**
 * What reaches the browser as it is stored: plain, RLE, JPEG, JPEG-LS and JPEG 2000. JPEG lossless and some JPEG-LS of
 * the corpus come decoded, since their streams say another precision than their files. Its HTJ2K file is one of several
 * with the same SOP Instance UID, and another of them is shown: that decoder is not reached here.
 */
const SYNTAXES = ['1.2.1', '1.2.5', '1.2.4.50', '1.2.4.81', '1.2.4.90', '1.2.4.91'].map(
  (end) => `1.2.840.10008.${end}`,
);

interface Series {
  series_instance_uid: string;
  study_instance_uid: string;
  description: string | null;
  slice_count: number;
}

const test = base.extend<object, { full: Stack }>({
  full: [
    // eslint-disable-next-line no-empty-pattern -- Playwright asks for a pattern
    async ({}, use) => {
      const stack = await Stack.start();
      stack.writeViewerData();
      if (CORPUS) stack.copyCorpus(...FOLDERS);
      await createAccount(stack);
      await waitUntilIndexed(stack);
      await use(stack);
      await stack.stop();
    },
    { scope: 'worker', timeout: 240_000 },
  ],
  baseURL: ({ full }, use) => use(full.webUrl),
});

async function ask<T>(stack: Stack, path: string): Promise<T> {
  const headers = { Authorization: `Bearer ${await getToken(stack)}` };
  return (await (await fetch(`${stack.apiUrl}${path}`, { headers })).json()) as T;
}

/** The made series and those of pydicom are 41; the corpus adds six that are not among them. */
async function waitUntilIndexed(stack: Stack): Promise<void> {
  await expect
    .poll(async () => (await ask<{ total: number }>(stack, '/volumes?limit=1')).total, {
      timeout: 120_000,
      intervals: [1000],
    })
    .toBeGreaterThanOrEqual(CORPUS ? 47 : 41);
}

test('each picture is the server’s picture', async ({ page, full }) => {
  test.setTimeout(600_000);
  const { volumes, total } = await ask<{ volumes: Series[]; total: number }>(full, '/volumes?limit=200');
  expect(volumes).toHaveLength(total);
  await logIn(page);
  await page.setViewportSize({ width: 1400, height: 1200 });
  await page.goto(`/viewer/${volumes[0]?.series_instance_uid}`);
  const cell = cellAt(page);
  await waitForPixels(cell);
  const token = await getToken(full);

  // What the frames came in, as their parts say.
  const syntaxes = new Set<string>();
  page.on('response', (response) => {
    if (!/\/frames\?/.test(response.url())) return;
    void response.body().then(
      (body) => {
        for (const [, uid = ''] of body.toString('latin1').matchAll(/transfer-syntax=([\d.]+)/g))
          syntaxes.add(uid);
      },
      () => undefined,
    );
  });

  const found: string[] = [];
  const seen = { same: 0, close: 0, drawnByServer: 0, refused: 0 };
  for (const series of volumes) {
    const { slice_count: count } = series;
    // A window that had to be guessed is that of the first slice shown.
    const middle = Math.floor(count / 2);
    const few = Array.from({ length: count }, (_, index) => index);
    for (const index of new Set([middle, ...(count > 16 ? [0, count - 1] : few)])) {
      const name = `${series.description} ${series.series_instance_uid} ${index}`;
      const server = await page.evaluate(readServerPicture, {
        url: `${full.apiUrl}/slice?series=${series.series_instance_uid}&index=${index}`,
        token,
      });
      const shown = await showSlice(cell, series, index);
      if (!server || !shown) {
        if (Boolean(server) !== Boolean(shown)) {
          found.push(
            `${name}: server ${Boolean(server)}, viewer ${JSON.stringify((await readState(cell)).problem)}`,
          );
        } else seen.refused++;
        continue;
      }
      if (index !== middle && shown.window?.source === 'guessed') continue;
      const { largest, differing } = await readPicture(cell, server);
      if (shown.isDrawnByServer) seen.drawnByServer++;
      else if (largest === 0) seen.same++;
      else seen.close++;
      const allowed = shown.isColor ? TOLERANCE : 0;
      if (largest > allowed) {
        found.push(`${name}: ${largest} in ${differing} pixels, ${shown.photometricInterpretation}`);
      }
    }
  }
  console.log(volumes.length, seen, [...syntaxes]);
  expect(found).toEqual([]);
  expect(seen.drawnByServer).toBeGreaterThan(0);
  expect([...syntaxes].sort()).toEqual(expect.arrayContaining(SYNTAXES));
});

/** Runs in the page: the server's picture as the browser paints it, or null where the server refuses. */
async function readServerPicture({ url, token }: { url: string; token: string }) {
  const answer = await fetch(url, { headers: { Authorization: `Bearer ${token}` } });
  if (!answer.ok) return null;
  const bitmap = await createImageBitmap(await answer.blob(), { colorSpaceConversion: 'none' });
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d', {
    willReadFrequently: true,
  });
  context?.drawImage(bitmap, 0, 0);
  const key = `server ${url}`;
  (window as unknown as Record<string, unknown>)[key] = context?.getImageData(
    0,
    0,
    bitmap.width,
    bitmap.height,
  );
  return key;
}
