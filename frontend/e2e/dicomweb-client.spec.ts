import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test, type Call, type Library, type Part } from './dicomwebPage';
import type { MadeStudy } from './stack';
import type { Page } from '@playwright/test';

type Attributes = Record<string, { Value?: unknown[]; BulkDataURI?: string }>;

const UIDS = { study: '0020000D', series: '0020000E', sop: '00080018' };

async function valuesOf(call: Call, method: string, tag: string, given: Record<string, unknown> = {}) {
  const found = (await call(method, given)).value as Attributes[];
  return found.map((one) => one[tag]?.Value?.[0]);
}

async function partsOf(call: Call, method: string, given: Record<string, unknown>): Promise<Part[]> {
  const { value } = await call(method, given);
  return Array.isArray(value) ? (value as Part[]) : [value as Part];
}

const bytesOf = (parts: Part[]) => parts.map(({ bytes }) => bytes);
const sops = ({ instances }: MadeStudy) => instances.map(({ sop }) => sop);
const at = (made: MadeStudy, index: number) => made.instances[index] ?? { sop: '', file: '', pixels: '' };

/** The parameters by which the library names an instance of a study that was written. */
function instance(made: MadeStudy, index = 0) {
  const { study: studyInstanceUID, series: seriesInstanceUID } = made;
  return { studyInstanceUID, seriesInstanceUID, sopInstanceUID: at(made, index).sop };
}

function frames(made: MadeStudy, ...numbers: number[]): string[] {
  const all = Buffer.from(at(made, 0).pixels, 'base64');
  const size = all.length / 3;
  return numbers.map((number) => all.subarray((number - 1) * size, number * size).toString('base64'));
}

/** Width, height, and the darkest and brightest grey of a picture, as the browser decodes it. */
function look(page: Page, picture: Part | undefined) {
  return page.evaluate(async (bytes) => {
    const content = Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0));
    const image = await createImageBitmap(new Blob([content]));
    const context = new OffscreenCanvas(image.width, image.height).getContext('2d');
    if (!context) throw new Error('The browser draws nothing.');
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, image.width, image.height);
    const greys = data.filter((_, index) => index % 4 !== 3);
    return [image.width, image.height, Math.min(...greys), Math.max(...greys)];
  }, picture?.bytes ?? '');
}

test.describe('search', () => {
  test('finds studies by keys of every kind', async ({ call, service: { made } }) => {
    const studies = (queryParams: object) =>
      valuesOf(call, 'searchForStudies', UIDS.study, { queryParams: { ...queryParams } });
    const [head, film] = [made.head.study, made.film.study];
    expect(await studies({ PatientName: 'müller*' })).toEqual([head]);
    expect(await studies({ PatientName: '山田*' })).toEqual([head]);
    expect(await studies({ PatientName: 'star film', fuzzymatching: true })).toEqual([film]);
    expect(await studies({ StudyDescription: 'Head & neck, 50 %' })).toEqual([head]);
    expect(await studies({ StudyDate: '20260315-20260430' })).toEqual([film]);
    expect(await studies({ ModalitiesInStudy: 'CT', PatientID: 'HEAD-?' })).toEqual([head]);
    expect(await studies({ StudyInstanceUID: `${head},${film}`, limit: 1, offset: 1 })).toEqual([head]);
    expect(await studies({ PatientID: 'nobody' })).toEqual([]);
  });

  test('answers what is asked for', async ({ call, service: { made } }) => {
    const queryParams = { PatientID: 'HEAD-1', includefield: 'StudyDescription' };
    const [study] = (await call('searchForStudies', { queryParams })).value as [Attributes];
    expect(study['00100010']?.Value).toEqual([{ Alphabetic: 'Müller^Jürgen', Ideographic: '山田^太郎' }]);
    expect(study['00081030']?.Value).toEqual(['Head & neck, 50 %']);
    expect(study['00201208']?.Value).toEqual([made.head.instances.length]);
  });

  test('finds series and instances, at every level', async ({ call, service: { made } }) => {
    const { study: studyInstanceUID, series: seriesInstanceUID } = made.head;
    const series = (given: object) => valuesOf(call, 'searchForSeries', UIDS.series, { ...given });
    expect(await series({ studyInstanceUID })).toEqual([seriesInstanceUID]);
    expect(await series({ queryParams: { Modality: 'OT' } })).toEqual([made.film.series]);
    expect(await series({ studyInstanceUID, queryParams: { Modality: 'OT' } })).toEqual([]);
    const instances = (given: object) => valuesOf(call, 'searchForInstances', UIDS.sop, { ...given });
    expect(await instances({ studyInstanceUID, seriesInstanceUID })).toEqual(sops(made.head));
    expect(await instances({ studyInstanceUID, queryParams: { InstanceNumber: 2 } })).toEqual([
      at(made.head, 1).sop,
    ]);
    expect(await instances({ queryParams: { NumberOfFrames: 3 } })).toEqual(sops(made.film));
  });
});

test.describe('retrieve', () => {
  test('files are the bytes that were written', async ({ call, service: { made } }) => {
    const { study: studyInstanceUID, series: seriesInstanceUID } = made.head;
    const written = made.head.instances.map(({ file }) => file);
    const study = await partsOf(call, 'retrieveStudy', { studyInstanceUID });
    expect(bytesOf(study).sort()).toEqual([...written].sort());
    const series = await partsOf(call, 'retrieveSeries', { studyInstanceUID, seriesInstanceUID });
    expect(bytesOf(series).sort()).toEqual([...written].sort());
    const [alone] = await partsOf(call, 'retrieveInstance', instance(made.head, 1));
    expect(alone).toEqual({
      bytes: written[1],
      mediaType: 'application/dicom',
      transferSyntax: '1.2.840.10008.1.2.1',
    });
  });

  test('metadata at every level', async ({ call, service: { made } }) => {
    const { sopInstanceUID, ...series } = instance(made.head, 2);
    const { studyInstanceUID } = series;
    const told = (method: string, given: object) => valuesOf(call, method, UIDS.sop, { ...given });
    expect((await told('retrieveStudyMetadata', { studyInstanceUID })).sort()).toEqual(
      sops(made.head).sort(),
    );
    expect((await told('retrieveSeriesMetadata', series)).sort()).toEqual(sops(made.head).sort());
    const { value } = await call('retrieveInstanceMetadata', { ...series, sopInstanceUID });
    const [one] = value as [Attributes];
    expect(one[UIDS.sop]?.Value).toEqual([sopInstanceUID]);
    expect([one['00280010'], one['00280011']].map((size) => size?.Value)).toEqual([[12], [16]]);
    expect(one['00081030']?.Value).toEqual(['Head & neck, 50 %']);
  });

  test('frames in the order of the list, as they are and compressed', async ({ call, service: { made } }) => {
    const wanted = { ...instance(made.film), frameNumbers: [3, 1] };
    const stored = await partsOf(call, 'retrieveInstanceFrames', wanted);
    expect(bytesOf(stored)).toEqual(frames(made.film, 3, 1));
    expect(stored.map(({ mediaType }) => mediaType)).toEqual(Array(2).fill('application/octet-stream'));
    const jpegLs = { mediaType: 'image/jls', transferSyntaxUID: '1.2.840.10008.1.2.4.80' };
    const octets = { mediaType: 'application/octet-stream', transferSyntaxUID: '1.2.840.10008.1.2.1' };
    const compressed = await partsOf(call, 'retrieveInstanceFrames', { ...wanted, mediaTypes: [jpegLs] });
    expect(compressed.map(({ mediaType, transferSyntax }) => [mediaType, transferSyntax])).toEqual(
      Array(2).fill(['image/jls', jpegLs.transferSyntaxUID]),
    );
    for (const { bytes } of compressed)
      // ISO/IEC 14495-1: start of image, start of a JPEG-LS frame
      expect(Buffer.from(bytes, 'base64').subarray(0, 4).toString('hex')).toBe('ffd8fff7');
    const either = await partsOf(call, 'retrieveInstanceFrames', { ...wanted, mediaTypes: [octets, jpegLs] });
    expect(bytesOf(either)).toEqual(frames(made.film, 3, 1));
  });

  test('bulk data is where the metadata of every level say', async ({ call, service: { made } }) => {
    const written = Buffer.from(Uint8Array.from({ length: 2000 }, (_, index) => index % 250));
    for (const method of ['retrieveStudyMetadata', 'retrieveSeriesMetadata', 'retrieveInstanceMetadata']) {
      const [one] = (await call(method, instance(made.film))).value as [Attributes];
      const BulkDataURI = one['00111001']?.BulkDataURI;
      const [whole] = await partsOf(call, 'retrieveBulkData', { BulkDataURI });
      expect(whole?.bytes, method).toBe(written.toString('base64'));
      const given = { BulkDataURI, headers: { Range: 'bytes=240-259' } };
      const { value } = await call('retrieveBulkData', given, { singlepart: 'bulkdata' });
      const [some] = value as [Part];
      expect(some.bytes, method).toBe(written.subarray(240, 260).toString('base64'));
    }
  });

  test('an instance by its address of WADO-URI', async ({ page, call, service: { made, secret } }) => {
    const options = { wadoURLPrefix: 'wado' };
    const { value } = await call('buildInstanceWadoURIUrl', instance(made.head), options);
    const bytes = await page.evaluate(
      async ([address, token]) => {
        const answer = await fetch(address, { headers: { Authorization: `Bearer ${token}` } });
        const content = new Uint8Array(await answer.arrayBuffer());
        return btoa(Array.from(content, (byte) => String.fromCharCode(byte)).join(''));
      },
      [value as string, secret] as const,
    );
    expect(bytes).toBe(at(made.head, 0).file);
  });
});

test.describe('pictures', () => {
  test('of an instance, with a window and a size', async ({ page, call, service: { made } }) => {
    const png = { ...instance(made.head, 1), mediaTypes: [{ mediaType: 'image/png' }] };
    const [plain] = await partsOf(call, 'retrieveInstanceRendered', png);
    expect(plain?.mediaType).toBe('image/png');
    expect(await look(page, plain)).toEqual([16, 12, 90, 90]);
    // PS3.3 C.11.2.1.2.1: a window of 256 around 100, not 128, makes everything brighter by 28.
    const queryParams = { window: '100,256,linear', viewport: '32,24' };
    const [large] = await partsOf(call, 'retrieveInstanceRendered', { ...png, queryParams });
    expect(await look(page, large)).toEqual([32, 24, 118, 118]);
    const [usual] = await partsOf(call, 'retrieveInstanceRendered', instance(made.head, 1));
    expect(usual?.mediaType).toBe('image/jpeg');
    expect(await look(page, usual)).toEqual([16, 12, 90, 90]);
  });

  test('of frames', async ({ page, call, service: { made } }) => {
    const wanted = { ...instance(made.film), mediaTypes: [{ mediaType: 'image/png' }] };
    const pictures = await partsOf(call, 'retrieveInstanceFramesRendered', {
      ...wanted,
      frameNumbers: [3, 1],
    });
    const greys = await Promise.all(pictures.map((one) => look(page, one)));
    expect(greys).toEqual([
      [16, 12, 180, 180],
      [16, 12, 60, 60],
    ]);
    const [alone] = await partsOf(call, 'retrieveInstanceFramesRendered', { ...wanted, frameNumbers: [2] });
    expect(await look(page, alone)).toEqual([16, 12, 120, 120]);
  });

  test('thumbnails', async ({ page, call, service: { made } }) => {
    const [small] = await partsOf(call, 'retrieveInstanceThumbnail', instance(made.head, 2));
    expect(await look(page, small)).toEqual([16, 12, 140, 140]);
    const wanted = {
      ...instance(made.film),
      frameNumbers: [1],
      mediaTypes: [{ mediaType: 'image/png' }],
      queryParams: { viewport: '8,6' },
    };
    const [frame] = await partsOf(call, 'retrieveInstanceFramesThumbnail', wanted);
    expect(await look(page, frame)).toEqual([8, 6, 60, 60]);
  });
});

test.describe('refusals reach the interceptor of errors', () => {
  test('without a good token, and of what is not there', async ({ call }) => {
    const headers = { Authorization: 'Bearer mis_nothing' };
    expect(await call('searchForStudies', {}, { headers })).toEqual({ value: null, refused: [401] });
    expect((await call('retrieveStudy', { studyInstanceUID: '1.2.3' })).refused).toEqual([404]);
  });

  test('of a page that the settings do not name', async ({ page, call, service: { port } }) => {
    await page.goto(`http://127.0.0.1:${port}/`);
    expect((await call('searchForStudies')).refused).toEqual([0]);
  });

  test('of a token that only reads', async ({ call, service: { made, readOnly } }) => {
    const headers = { Authorization: `Bearer ${readOnly}` };
    const datasets = [at(made.new, 0).file];
    expect((await call('storeInstances', { datasets }, { headers })).refused).toEqual([403]);
    expect((await call('searchForStudies', {}, { headers })).value).toHaveLength(2);
  });
});

test('what is stored is found and is the same', async ({ call, service: { made } }) => {
  const [mine, other] = [at(made.new, 0), at(made.film, 0)];
  const { study: studyInstanceUID } = made.new;
  const refused = await call('storeInstances', { datasets: [other.file], studyInstanceUID });
  expect(refused.refused, 'an instance of another study').toEqual([409]);
  // 202: some of it
  const { value } = await call('storeInstances', { datasets: [mine.file, other.file], studyInstanceUID });
  const answer = JSON.parse(value as string) as Record<string, { Value: Attributes[] }>;
  const named = (sequence: string, tag: string) =>
    answer[sequence]?.Value.map((item) => item[tag]?.Value?.[0]);
  expect(named('00081199', '00081155')).toEqual([mine.sop]);
  expect([named('00081198', '00081155'), named('00081198', '00081197')]).toEqual([[other.sop], [0xa901]]);
  expect(
    await valuesOf(call, 'searchForStudies', UIDS.study, { queryParams: { PatientID: 'NEW-1' } }),
  ).toEqual([studyInstanceUID]);
  expect(bytesOf(await partsOf(call, 'retrieveInstance', instance(made.new)))).toEqual([mine.file]);
});

test('the example of the document', async ({ page, call, service: { made, stack, secret } }) => {
  await call('getDebug');
  const document = readFileSync(resolve(import.meta.dirname, '../../docs/clients.md'), 'utf8');
  const example = /```javascript\n(import .*?)```/s.exec(document)?.[1] ?? '';
  const given = { SERVER: stack.apiUrl, TOKEN: secret, example };
  const shown = await page.evaluate(async ({ SERVER, TOKEN, example }) => {
    // A page without a builder has the library as a global name instead of an import.
    const code = example.replace("import { api } from 'dicomweb-client';", 'const { api } = DICOMwebClient;');
    const run = new Function('SERVER', 'TOKEN', `return (async () => {${code}})()`);
    return (await run(SERVER, TOKEN)) as number[];
  }, given);
  expect(shown).toEqual([12, 16, Buffer.from(at(made.head, 0).pixels, 'base64').length]);
});

test('nothing that the client can ask a server is left out', async ({ page, call }) => {
  await call('getDebug');
  const methods = await page.evaluate(() => {
    const { DICOMwebClient } = (window as unknown as { DICOMwebClient: Library }).DICOMwebClient.api;
    return Object.getOwnPropertyNames(DICOMwebClient.prototype);
  });
  const asked = methods.filter((name) => /^(searchFor|retrieve|store|delete|build)/.test(name));
  expect(asked.length).toBeGreaterThan(15);
  const source = readFileSync(import.meta.filename, 'utf8');
  expect(asked.filter((name) => !source.includes(`'${name}'`))).toEqual([]);
});
