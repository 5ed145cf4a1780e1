import { describe, expect, it } from 'vitest';
import type { ImagePoint } from '$lib/viewer/types';
import { auxiliaryPathOf, pathOf, textPlaceOf, toScreen, transformOf } from './screen';

/** Turned by 90°, twice as large, rows stretched three times, and moved. */
const turned = { toClientPoint: ([column, row]: ImagePoint) => [100 - 6 * row, 50 + 2 * column] as const };
const transform = transformOf(turned, { left: 10, top: 20 });

const numbers = (path: string) => path.match(/-?\d+\.\d+/g)?.map(Number) ?? [];

describe('the screen', () => {
  it('follows how the picture lies in the cell', () => {
    if (!transform) throw new Error('no transform');
    for (const point of [
      [0, 0],
      [3, 7],
      [-2.5, 11],
    ] as ImagePoint[]) {
      const [x, y] = turned.toClientPoint(point);
      const [left, top] = toScreen(point, transform);
      expect([left, top]).toEqual([expect.closeTo(x - 10, 9), expect.closeTo(y - 20, 9)]);
    }
  });

  it('has nothing to draw where no picture is', () => {
    expect(transformOf({ toClientPoint: () => null }, { left: 0, top: 0 })).toBeNull();
  });
});

describe('a path', () => {
  const plain = { a: 1, b: 0, c: 0, d: 1, e: 0, f: 0 };

  it('of an ellipse lies on the ellipse', () => {
    const path = pathOf(
      'ellipse',
      [
        [0, 5],
        [20, 5],
        [10, 0],
        [10, 10],
      ],
      plain,
    );
    const found = numbers(path);
    for (let i = 0; i < found.length; i += 2) {
      const [x, y] = [((found[i] ?? 0) - 10) / 10, ((found[i + 1] ?? 0) - 5) / 5];
      expect(Math.hypot(x, y)).toBeCloseTo(1, 2);
    }
  });

  it('of a rectangle is closed', () => {
    expect(
      pathOf(
        'rectangle',
        [
          [0, 0],
          [4, 0],
          [4, 2],
          [0, 2],
        ],
        plain,
      ),
    ).toBe('M0.00,0.00L4.00,0.00L4.00,2.00L0.00,2.00Z');
  });

  it('of a Cobb angle joins the middles of its lines', () => {
    const points: ImagePoint[] = [
      [0, 0],
      [4, 0],
      [0, 8],
      [4, 8],
    ];
    expect(auxiliaryPathOf('cobb', points, plain)).toBe('M2.00,0.00L2.00,8.00');
    expect(auxiliaryPathOf('length', points, plain)).toBe('');
  });

  it('begins with the second point', () => {
    expect(pathOf('length', [[0, 0]], plain)).toBe('');
    expect(
      pathOf(
        'bidirectional',
        [
          [0, 0],
          [4, 0],
        ],
        plain,
      ),
    ).toBe('M0.00,0.00L4.00,0.00');
  });
});

describe('the text', () => {
  const text = { width: 80, height: 20 };
  const cell = { width: 400, height: 300 };

  it('stands beside the shape', () => {
    expect(
      textPlaceOf(
        [
          [10, 100],
          [50, 60],
        ],
        text,
        cell,
      ),
    ).toEqual([62, 50]);
  });

  it('stays within the cell', () => {
    for (const at of [
      [390, 5],
      [395, 295],
      [-50, -50],
      [500, 500],
    ] as const) {
      const [x, y] = textPlaceOf([at], text, cell);
      expect(x).toBeGreaterThanOrEqual(4);
      expect(x + text.width).toBeLessThanOrEqual(cell.width - 4);
      expect(y).toBeGreaterThanOrEqual(4);
      expect(y + text.height).toBeLessThanOrEqual(cell.height - 4);
    }
  });
});
