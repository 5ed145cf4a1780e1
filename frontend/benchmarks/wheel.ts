/** How many pictures appear while the wheel turns. */
import type { Page } from '@playwright/test';
import { picturesBetween, readDrawn } from './drawn';

const TURN_MS = 5000;
/** As a wheel that is turned quickly: 60 notches a second. */
const NOTCH_MS = 1000 / 60;
const NOTCHES_ONE_WAY = 120;

export interface Turned {
  pictures: number;
  seconds: number;
}

/** Counts pictures, each of another slice, while the wheel is turned to and fro over a point of the page. */
export async function measureWheel(page: Page, x: number, y: number): Promise<Turned> {
  await page.mouse.move(x, y);
  const before = await readDrawn(page);
  const began = Date.now();
  for (let notch = 0; Date.now() - began < TURN_MS; notch++) {
    const direction = Math.floor(notch / NOTCHES_ONE_WAY) % 2 === 0 ? 1 : -1;
    await page.mouse.wheel(0, 100 * direction);
    const ahead = began + notch * NOTCH_MS - Date.now();
    if (ahead > 0) await page.waitForTimeout(ahead);
  }
  const seconds = (Date.now() - began) / 1000;
  const after = await readDrawn(page);
  return { pictures: picturesBetween(before, after), seconds };
}
