/**
 * Counts the pictures that really appear: canvases of the page whose content changed between two frames of the screen.
 *
 * Both viewers draw off the screen and copy the result to a canvas of the page by `drawImage`; there it is counted, so
 * that neither has to be believed. A row of pixels across the picture tells one picture from another.
 */
import type { Page } from '@playwright/test';

export interface Drawn {
  /** Pictures, each of other content than the one before on the same canvas. */
  count: number;
  /** When the first came, in ms since the page was asked for; null: none did. */
  firstMs: number | null;
}

interface Counting {
  benchmarkDrawn: Drawn;
}

/** Begins to count, on this page and after each navigation of it. */
export async function countDrawn(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const drawn = { count: 0, firstMs: null as number | null };
    (globalThis as unknown as Counting).benchmarkDrawn = drawn;
    const seen = new WeakMap<HTMLCanvasElement, string>();
    const dirty = new Set<CanvasRenderingContext2D>();
    const original = CanvasRenderingContext2D.prototype.drawImage;

    const look = () => {
      for (const context of dirty) {
        const { canvas } = context;
        const row = context.getImageData(0, Math.floor(canvas.height * 0.45), canvas.width, 1).data;
        let hash = 0;
        let lightest = 0;
        for (let at = 0; at < row.length; at += 4) {
          const grey = row[at] ?? 0;
          hash = (hash * 31 + grey) | 0;
          lightest = Math.max(lightest, grey);
        }
        if (lightest < 16 || seen.get(canvas) === String(hash)) continue;
        seen.set(canvas, String(hash));
        drawn.count++;
        drawn.firstMs ??= performance.now();
      }
      dirty.clear();
    };

    const counted = function (this: CanvasRenderingContext2D, ...values: unknown[]) {
      Reflect.apply(original, this, values);
      const { canvas } = this;
      if (!canvas.isConnected || canvas.width < 128 || canvas.height < 128) return;
      if (dirty.size === 0) requestAnimationFrame(look);
      dirty.add(this);
    };
    CanvasRenderingContext2D.prototype.drawImage = counted as typeof original;
  });
}

export const readDrawn = (page: Page): Promise<Drawn> =>
  page.evaluate(() => ({ ...(globalThis as unknown as Counting).benchmarkDrawn }));
