import { describe, expect, it } from 'vitest';
import type { ImagePoint } from '$lib/viewer/types';
import { angleAt, lengthOf, middle, type Spacing } from './geometry';
import { isDrawn, moved, shapeOf, withHandleAt } from './shaping';

const EQUAL: Spacing = [1, 1];
const TALL: Spacing = [2, 1];

const four = (points: readonly ImagePoint[]) => points as [ImagePoint, ImagePoint, ImagePoint, ImagePoint];

describe('a rectangle', () => {
  const box = shapeOf(
    'rectangle',
    [
      [2, 3],
      [8, 7],
    ],
    EQUAL,
  );

  it('comes from two corners', () => {
    expect(box).toEqual([
      [2, 3],
      [8, 3],
      [8, 7],
      [2, 7],
    ]);
  });

  it.each([
    [
      0,
      [
        [0, 0],
        [8, 0],
        [8, 7],
        [0, 7],
      ],
    ],
    [
      1,
      [
        [2, 0],
        [0, 0],
        [0, 7],
        [2, 7],
      ],
    ],
    [
      2,
      [
        [2, 3],
        [0, 3],
        [0, 0],
        [2, 0],
      ],
    ],
    [
      3,
      [
        [0, 3],
        [8, 3],
        [8, 0],
        [0, 0],
      ],
    ],
  ])('stays one when corner %i is moved', (handle, expected) => {
    expect(withHandleAt('rectangle', box, handle, [0, 0], EQUAL)).toEqual(expected);
  });
});

describe('an ellipse', () => {
  const oval = shapeOf(
    'ellipse',
    [
      [8, 7],
      [2, 3],
    ],
    EQUAL,
  );

  it('fills the box of two corners', () => {
    expect(oval).toEqual([
      [2, 5],
      [8, 5],
      [5, 3],
      [5, 7],
    ]);
  });

  it('grows from the end opposite to the one moved', () => {
    expect(withHandleAt('ellipse', oval, 1, [12, 9], EQUAL)).toEqual([
      [2, 5],
      [12, 5],
      [7, 3],
      [7, 7],
    ]);
  });
});

describe('bidirectional', () => {
  const axes = shapeOf(
    'bidirectional',
    [
      [0, 0],
      [8, 4],
    ],
    TALL,
  );
  const foot = middle(axes[2] as ImagePoint, axes[3] as ImagePoint);

  it('begins with a short axis that is perpendicular in the patient and half as long', () => {
    expect(foot).toEqual([4, 2]);
    expect(angleAt(foot, axes[2] as ImagePoint, [8, 4], TALL)).toBeCloseTo(90, 10);
    const [long, short] = [lengthOf([0, 0], [8, 4], TALL), lengthOf(four(axes)[2], four(axes)[3], TALL)];
    expect(short).toBeCloseTo(long / 2, 10);
  });

  it.each([0, 1, 2, 3])('stays perpendicular when end %i is moved', (handle) => {
    const [a, b, c, d] = four(withHandleAt('bidirectional', axes, handle, [9, -5], TALL));
    const corner: ImagePoint = [a[0] + d[0] - c[0], a[1] + d[1] - c[1]];
    expect(angleAt(a, b, corner, TALL)).toBeCloseTo(90, 8);
  });

  it('moves only the end under the hand across', () => {
    const [, , c, d] = four(withHandleAt('bidirectional', axes, 2, [4, 9], TALL));
    expect(lengthOf(c, d, TALL)).toBeGreaterThan(lengthOf(four(axes)[2], four(axes)[3], TALL));
  });
});

describe('other shapes', () => {
  it('have their points where they were placed', () => {
    const points: ImagePoint[] = [
      [1, 1],
      [2, 2],
      [3, 1],
    ];
    expect(shapeOf('angle', points, EQUAL)).toEqual(points);
    expect(withHandleAt('angle', points, 1, [9, 9], EQUAL)).toEqual([
      [1, 1],
      [9, 9],
      [3, 1],
    ]);
  });

  it('move as a whole', () => {
    expect(
      moved(
        [
          [1, 1],
          [2, 2],
        ],
        [0.5, -1],
      ),
    ).toEqual([
      [1.5, 0],
      [2.5, 1],
    ]);
  });
});

describe('a click', () => {
  it('is no shape', () => {
    for (const kind of ['length', 'arrow', 'rectangle', 'ellipse', 'bidirectional'] as const) {
      expect(
        isDrawn(
          kind,
          shapeOf(
            kind,
            [
              [3, 3],
              [3, 3],
            ],
            EQUAL,
          ),
        ),
        kind,
      ).toBe(false);
    }
    expect(
      isDrawn('angle', [
        [0, 0],
        [1, 1],
        [1, 1],
      ]),
    ).toBe(false);
    expect(
      isDrawn('cobb', [
        [0, 0],
        [1, 1],
        [2, 2],
      ]),
    ).toBe(false);
  });

  it('and a line of no width is none either', () => {
    expect(
      isDrawn(
        'rectangle',
        shapeOf(
          'rectangle',
          [
            [3, 3],
            [9, 3],
          ],
          EQUAL,
        ),
      ),
    ).toBe(false);
    expect(
      isDrawn('length', [
        [3, 3],
        [9, 3],
      ]),
    ).toBe(true);
  });
});
