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

/**
 * Counts pictures, each of another slice, while the wheel is turned to and fro over a point of the page.
 *
 * Like a hand, it does not wait until the page has dealt with a notch: that takes until the page's next frame, so that
 * one who waits for it comes to every second frame at most, whatever the page could do.
 */
export async function measureWheel(page: Page, x: number, y: number): Promise<Turned> {
  await page.mouse.move(x, y);
  const before = await readDrawn(page);
  const began = Date.now();
  const turned: Promise<void>[] = [];
  for (let notch = 0; Date.now() - began < TURN_MS; notch++) {
    const direction = Math.floor(notch / NOTCHES_ONE_WAY) % 2 === 0 ? 1 : -1;
    turned.push(page.mouse.wheel(0, 100 * direction));
    await new Promise((later) => setTimeout(later, began + (notch + 1) * NOTCH_MS - Date.now()));
  }
  const seconds = (Date.now() - began) / 1000;
  const after = await readDrawn(page);
  await Promise.all(turned);
  return { pictures: picturesBetween(before, after), seconds };
}
