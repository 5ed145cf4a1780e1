/**
 * Counts the pictures that really appear, on the canvases of the page.
 *
 * Viewers draw off the screen and copy the result to a canvas of the page; there it is counted, so that neither has to be
 * believed. Reading pixels back disturbs what is measured, so only each tenth picture is looked at: a row of pixels tells
 * whether it is another one than the tenth before.
 */
import type { Page } from '@playwright/test';

export interface Drawn {
  /** Frames of the screen in which a canvas was drawn to. */
  drawn: number;
  /** Those that were looked at, and how many of them were another picture than the one looked at before. */
  sampled: number;
  different: number;
  /** When the first picture came, in ms since the page was asked for; null: none did. */
  firstMs: number | null;
}

/** Pictures between two readings, each of another content than the one before. */
export function picturesBetween(before: Drawn, after: Drawn): number {
  const sampled = after.sampled - before.sampled;
  const share = sampled === 0 ? 1 : (after.different - before.different) / sampled;
  return (after.drawn - before.drawn) * share;
}

interface Counting {
  benchmarkDrawn: Drawn;
}

/** Begins to count, on this page and after each navigation of it. */
export async function countDrawn(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const counts: Drawn = { drawn: 0, sampled: 0, different: 0, firstMs: null };
    (globalThis as unknown as Counting).benchmarkDrawn = counts;
    const prototype = CanvasRenderingContext2D.prototype;
    const seen = new WeakMap<HTMLCanvasElement, number>();
    const dirty = new Set<CanvasRenderingContext2D>();
    const SAMPLED = 10;
    const VISIBLE = 16;

    const readRow = (context: CanvasRenderingContext2D) => {
      const { width, height } = context.canvas;
      const row = context.getImageData(0, Math.floor(height * 0.45), width, 1).data;
      let hash = 0;
      let lightest = 0;
      for (let at = 0; at < row.length; at += 4) {
        const grey = row[at] ?? 0;
        hash = (hash * 31 + grey) | 0;
        lightest = Math.max(lightest, grey);
      }
      return { hash, isBlank: lightest < VISIBLE };
    };

    const look = () => {
      for (const context of dirty) {
        if (counts.firstMs === null) {
          if (readRow(context).isBlank) continue;
          counts.firstMs = performance.now();
        }
        counts.drawn++;
        if (counts.drawn % SAMPLED !== 0) continue;
        const { hash } = readRow(context);
        counts.sampled++;
        if (seen.get(context.canvas) !== hash) counts.different++;
        seen.set(context.canvas, hash);
      }
      dirty.clear();
    };

    const watch = (name: 'drawImage' | 'putImageData') => {
      const original = prototype[name] as (...values: unknown[]) => void;
      const counted = function (this: CanvasRenderingContext2D, ...values: unknown[]) {
        Reflect.apply(original, this, values);
        const { canvas } = this;
        if (!canvas.isConnected || canvas.width < 128 || canvas.height < 128) return;
        if (dirty.size === 0) requestAnimationFrame(look);
        dirty.add(this);
      };
      Object.assign(prototype, { [name]: counted });
    };
    watch('drawImage');
    watch('putImageData');
  });
}

export const readDrawn = (page: Page): Promise<Drawn> =>
  page.evaluate(() => ({ ...(globalThis as unknown as Counting).benchmarkDrawn }));
