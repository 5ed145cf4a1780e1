/** What was measured on a slice, drawn onto a canvas as it lies over the picture on the page. */
import { auxiliaryPathOf, pathOf, textPlaceOf, toScreen, transformOf } from '$lib/measurements/screen';
import { valueLines } from '$lib/measurements/words';
import type { Entry, Measurements } from '$lib/state/measurements.svelte';
import type { ImageCell } from '$lib/viewer/types';

const LINE_HEIGHT = 17;
const FONT = '600 13px system-ui, sans-serif';
/** As on the page, whose well is black in both themes. */
const LINE = 'oklch(0.93 0.09 205)';
const HALO = 'oklch(0 0 0 / 0.7)';

type Context = OffscreenCanvasRenderingContext2D;

/** `ratio`: pixels of the canvas for one of CSS. */
export function drawMeasurements(
  context: Context,
  cell: ImageCell,
  measurements: Measurements,
  ratio: number,
): void {
  const { slice } = cell.state;
  const { left, top, width, height } = cell.element.getBoundingClientRect();
  const transform = slice && transformOf(cell, { left, top });
  if (!slice || !transform) return;
  context.save();
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.lineCap = context.lineJoin = 'round';
  for (const entry of measurements.on(slice)) drawOne(context, entry, transform, { width, height });
  context.restore();
}

function drawOne(
  context: Context,
  { content: { kind, label, points, values } }: Entry,
  transform: NonNullable<ReturnType<typeof transformOf>>,
  size: { width: number; height: number },
): void {
  const [path, auxiliary] = [pathOf(kind, points, transform), auxiliaryPathOf(kind, points, transform)];
  stroke(context, path + auxiliary, HALO, 4);
  stroke(context, path, LINE, 2);
  context.setLineDash([4, 5]);
  stroke(context, auxiliary, LINE, 2);
  context.setLineDash([]);
  const lines = [...(label ? [label] : []), ...valueLines({ kind, values })];
  context.font = FONT;
  const box = {
    width: Math.max(0, ...lines.map((line) => context.measureText(line).width)),
    height: lines.length * LINE_HEIGHT,
  };
  const screen = points.map((point) => toScreen(point, transform));
  const [x, y] = textPlaceOf(screen, box, size);
  context.textAlign = 'left';
  context.textBaseline = 'alphabetic';
  lines.forEach((line, n) => {
    context.strokeStyle = HALO;
    context.lineWidth = 3;
    context.strokeText(line, x, y + 13 + n * LINE_HEIGHT);
    context.fillStyle = LINE;
    context.fillText(line, x, y + 13 + n * LINE_HEIGHT);
  });
}

function stroke(context: Context, path: string, colour: string, width: number): void {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.stroke(new Path2D(path));
}
