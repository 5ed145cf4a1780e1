import { describe, expect, it } from 'vitest';
import { Drawing } from './drawing.svelte';
import type { MeasurementKind } from './types';

const place = { studyInstanceUid: '1', seriesInstanceUid: '2', sopInstanceUid: '3', frameNumber: 1 };
const draw = (kind: MeasurementKind) => new Drawing(kind, place, [1, 1]);

function drag(drawing: Drawing, from: [number, number], to: [number, number]) {
  drawing.press(from);
  drawing.move(to, true);
  drawing.release();
}

function click(drawing: Drawing, at: [number, number]) {
  drawing.move(at, false);
  drawing.press(at);
  drawing.release();
}

describe('drawing', () => {
  it('by dragging once', () => {
    const drawing = draw('length');
    drag(drawing, [1, 2], [5, 6]);
    expect([drawing.isComplete, drawing.isDrawn, drawing.points]).toEqual([
      true,
      true,
      [
        [1, 2],
        [5, 6],
      ],
    ]);
  });

  it('by two clicks', () => {
    const drawing = draw('length');
    click(drawing, [1, 2]);
    expect(drawing.isComplete).toBe(false);
    drawing.move([3, 3], false);
    expect(drawing.points).toEqual([
      [1, 2],
      [3, 3],
    ]);
    click(drawing, [5, 6]);
    expect([drawing.isComplete, drawing.points]).toEqual([
      true,
      [
        [1, 2],
        [5, 6],
      ],
    ]);
  });

  it('of an angle by dragging and a click', () => {
    const drawing = draw('angle');
    drag(drawing, [0, 0], [5, 5]);
    expect([drawing.isComplete, drawing.remaining]).toEqual([false, 1]);
    click(drawing, [9, 0]);
    expect([drawing.isComplete, drawing.points]).toEqual([
      true,
      [
        [0, 0],
        [5, 5],
        [9, 0],
      ],
    ]);
  });

  it('of two lines by dragging twice', () => {
    const drawing = draw('cobb');
    drag(drawing, [0, 0], [5, 0]);
    drag(drawing, [0, 9], [5, 9]);
    expect(drawing.points).toEqual([
      [0, 0],
      [5, 0],
      [0, 9],
      [5, 9],
    ]);
    expect(drawing.isComplete).toBe(true);
  });

  it('adjusts the last point as long as it is held', () => {
    const drawing = draw('length');
    click(drawing, [0, 0]);
    drawing.press([5, 5]);
    drawing.move([7, 7], true);
    expect(drawing.isComplete).toBe(false);
    drawing.release();
    expect([drawing.isComplete, drawing.points]).toEqual([
      true,
      [
        [0, 0],
        [7, 7],
      ],
    ]);
  });

  it('of a trembling hand is a click', () => {
    const drawing = draw('length');
    drawing.press([1, 1]);
    drawing.move([1.2, 1.1], false);
    drawing.release();
    expect([drawing.isComplete, drawing.remaining]).toEqual([false, 1]);
  });

  it('twice at one place is nothing', () => {
    const drawing = draw('ellipse');
    click(drawing, [3, 3]);
    click(drawing, [3, 3]);
    expect([drawing.isComplete, drawing.isDrawn]).toEqual([true, false]);
  });
});
