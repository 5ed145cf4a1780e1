/** Looks into the cells of the viewer: each element `ImageCell.element` carries its cell. */
import { expect, type Locator, type Page } from '@playwright/test';
import type { CellState, CellView, ImageCell } from '../src/lib/viewer/types';

type CellElement = HTMLDivElement & { imageCell?: ImageCell };

/** Grey or colour values of a canvas: four numbers for each pixel, rows from the top. */
export interface Pixels {
  width: number;
  height: number;
  rgba: Uint8ClampedArray;
}

/** The element of a cell; the first on the page by default. */
export function cellAt(page: Page, index = 0): Locator {
  return page.locator('[data-viewport-uid]').nth(index);
}

export function readState(cell: Locator): Promise<CellState> {
  return cell.evaluate((element) => {
    const { imageCell } = element as CellElement;
    if (!imageCell) throw new Error('no cell');
    return imageCell.state;
  });
}

/** Waits until the wanted slice, and nothing else, is on the canvas. */
export async function waitForPixels(cell: Locator, index?: number): Promise<CellState> {
  await expect
    .poll(
      async () => {
        const { shownIndex, view } = await readState(cell).catch(() => ({
          shownIndex: null,
          view: { index: -1 },
        }));
        return shownIndex !== null && shownIndex === (index ?? view.index);
      },
      { timeout: 30_000 },
    )
    .toBe(true);
  return readState(cell);
}

export function updateView(cell: Locator, change: Partial<CellView>): Promise<void> {
  return cell.evaluate((element, given) => (element as CellElement).imageCell?.update(given), change);
}

/** What the canvas shows, after the next picture of the screen. */
export async function readPixels(cell: Locator): Promise<Pixels> {
  const { width, height, text } = await cell.evaluate(async (element) => {
    const frame = () => new Promise((next) => requestAnimationFrame(next));
    await frame();
    await frame();
    const canvas = element.querySelector('canvas');
    if (!canvas) throw new Error('no canvas');
    // A copy is read, so that the canvas itself stays as it is for people.
    const context = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', {
      willReadFrequently: true,
    });
    if (!context) throw new Error('no canvas');
    context.drawImage(canvas, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    let characters = '';
    for (let at = 0; at < data.length; at += 8192) {
      characters += String.fromCharCode(...data.subarray(at, at + 8192));
    }
    return { width: canvas.width, height: canvas.height, text: btoa(characters) };
  });
  return { width, height, rgba: new Uint8ClampedArray(Buffer.from(text, 'base64')) };
}

/** The mean grey of the canvas: above 0 where anything is drawn. */
export async function meanGrey(cell: Locator): Promise<number> {
  const { rgba } = await readPixels(cell);
  let sum = 0;
  for (let at = 0; at < rgba.length; at += 4) sum += rgba[at] ?? 0;
  return (4 * sum) / rgba.length;
}

/** The part of a canvas that the picture covers at one pixel of the screen for each column. */
export function cut(
  { width, rgba }: Pixels,
  left: number,
  top: number,
  columns: number,
  rows: number,
): Pixels {
  const out = new Uint8ClampedArray(4 * columns * rows);
  for (let row = 0; row < rows; row++) {
    const from = 4 * ((top + row) * width + left);
    out.set(rgba.subarray(from, from + 4 * columns), 4 * columns * row);
  }
  return { width: columns, height: rows, rgba: out };
}

/** The largest difference between two pictures in any channel, and how many pixels differ by more than `tolerance`. */
export function compare(a: Pixels, b: Pixels, tolerance = 0): { largest: number; differing: number } {
  expect([a.width, a.height]).toEqual([b.width, b.height]);
  let [largest, differing] = [0, 0];
  for (let at = 0; at < a.rgba.length; at += 4) {
    let difference = 0;
    for (let channel = at; channel < at + 3; channel++) {
      difference = Math.max(difference, Math.abs((a.rgba[channel] ?? 0) - (b.rgba[channel] ?? 0)));
    }
    largest = Math.max(largest, difference);
    if (difference > tolerance) differing++;
  }
  return { largest, differing };
}

interface SeriesAddress {
  series_instance_uid: string;
  study_instance_uid: string;
}

/** Shows a slice of any series at one pixel of the screen for each column; null where the viewer refuses it. */
export async function showSlice(
  cell: Locator,
  series: SeriesAddress,
  index: number,
): Promise<CellState['slice']> {
  await cell.evaluate(
    async (element, { seriesInstanceUid, studyInstanceUid, first }) => {
      const { imageCell } = element as CellElement;
      if (!imageCell) throw new Error('no cell');
      const shown = imageCell.state.series?.seriesInstanceUid === seriesInstanceUid;
      if (shown) imageCell.scrollTo(first);
      else await imageCell.show({ seriesInstanceUid, studyInstanceUid, stack: null }, { index: first });
      const end = performance.now() + 20_000;
      while (performance.now() < end) {
        const { shownIndex, problem } = imageCell.state;
        if (shownIndex === first || problem) break;
        await new Promise((later) => setTimeout(later, 20));
      }
      if (imageCell.state.shownIndex === first) imageCell.oneToOnePixels();
    },
    {
      seriesInstanceUid: series.series_instance_uid,
      studyInstanceUid: series.study_instance_uid,
      first: index,
    },
  );
  const state = await readState(cell);
  return state.shownIndex === index ? state.slice : null;
}

/**
 * Compares the canvas with a picture that the page keeps under a name. Pictures of which not all is on the screen at
 * one pixel for each column are compared as they are before they are placed.
 */
export function readPicture(cell: Locator, name: string): Promise<{ largest: number; differing: number }> {
  return cell.evaluate(async (element, key) => {
    const frame = () => new Promise((next) => requestAnimationFrame(next));
    await frame();
    await frame();
    const server = (window as unknown as Record<string, ImageData>)[key];
    const { imageCell } = element as CellElement;
    const canvas = element.querySelector('canvas');
    if (!server || !imageCell || !canvas) throw new Error('nothing to compare');
    const { left, top } = element.getBoundingClientRect();
    const corner = imageCell.toClientPoint([-0.5, -0.5]) ?? [0, 0];
    const [x, y] = [Math.round(corner[0] - left), Math.round(corner[1] - top)];
    const isWhole =
      x >= 0 && y >= 0 && x + server.width <= canvas.width && y + server.height <= canvas.height;
    const isSquare = Math.abs((imageCell.state.slice?.pixelAspectRatio ?? 1) - 1) < 1e-6;
    const { picture } = (imageCell as unknown as { viewport: { picture: HTMLCanvasElement } }).viewport;
    const onCanvas = isWhole && isSquare;
    const { width, height } = server;
    const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true });
    context?.drawImage(onCanvas ? canvas : picture, onCanvas ? -x : 0, onCanvas ? -y : 0);
    const ours = context?.getImageData(0, 0, width, height);
    let [largest, differing] = [0, 0];
    for (let at = 0; at < server.data.length; at++) {
      const difference = Math.abs((ours?.data[at] ?? -1) - (server.data[at] ?? 0));
      if (difference > 0) differing++;
      if (difference > largest) largest = difference;
    }
    return { largest, differing };
  }, name);
}
