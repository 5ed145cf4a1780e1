/** The picture of a cell as a PNG: what is on the screen, with or without what stands in its corners. */
import { scaleBarOf } from '$lib/dicom/geometry';
import { placeImage } from '$lib/dicom/placement';
import { positionMm } from '$lib/dicom/planes';
import type { PlanesView } from '$lib/state/planesView.svelte';
import { aspectOf, type PictureFacts } from '$lib/state/viewerFacts';
import type { ViewerCell } from '$lib/state/viewerCell.svelte';
import type { ViewerPage } from '$lib/state/viewerPage.svelte';
import { texts } from '$lib/texts';
import { drawMeasurements } from './drawMeasurements';
import { describeSource, patientLine } from './words';

/** CSS pixels between words and the edge. */
const MARGIN = 8;

export interface SaveOptions {
  hasOverlays: boolean;
  hasMeasurements: boolean;
  /** Only where somebody asked for it: the file then tells whose picture it is. */
  hasPatient: boolean;
}

/** Null where there is no picture. */
export async function drawPicture(
  { active: cell, planes, measurements }: ViewerPage,
  options: SaveOptions,
): Promise<Blob | null> {
  if (planes) return drawPlane(planes, options);
  const picture = cell.engine?.snapshot() ?? (await drawServerPicture(cell));
  if (!picture) return null;
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  const context = canvas.getContext('2d');
  if (!context) return null;
  context.drawImage(picture, 0, 0);
  const ratio = picture.width / Math.max(cell.size.width, 1);
  if (options.hasMeasurements && cell.engine) drawMeasurements(context, cell.engine, measurements, ratio);
  if (options.hasOverlays || options.hasPatient) drawWords(context, cornerLines(cell, options), ratio);
  if (options.hasOverlays && cell.facts) {
    const { labels, mmPerCssPixel, isDetectorSpacing } = cell.facts;
    drawEdges(context, labels, mmPerCssPixel && !isDetectorSpacing ? 1 / mmPerCssPixel : null, ratio);
  }
  return canvas.convertToBlob({ type: 'image/png' });
}

/** The plane that is active, as its pane shows it. */
async function drawPlane(planes: PlanesView, options: SaveOptions): Promise<Blob | null> {
  const { active, cell } = planes;
  const picture = document.querySelector<HTMLCanvasElement>(`[data-plane="${active}"] canvas`);
  const plane = planes.plane(active);
  if (!picture?.dataset.shown || !plane) return null;
  const canvas = new OffscreenCanvas(picture.width, picture.height);
  const context = canvas.getContext('2d');
  if (!context) return null;
  context.drawImage(picture, 0, 0);
  const ratio = picture.width / Math.max(picture.clientWidth, 1);
  const words = texts.viewer;
  const window = planes.windowInUse;
  const lines: Corners = [patientLines(cell, options), [], [], []];
  if (options.hasOverlays) {
    lines[0].push(texts.planes.names[active], cell.detail.value?.study_date ?? '');
    if (planes.slabMm > 0)
      lines[1].push(`${texts.planes.slabOf(planes.slabMm)} · ${texts.planes.projections[planes.projection]}`);
    if (planes.isResampled(active)) lines[1].push(texts.planes.badges.resampled);
    const index = planes.index(active);
    lines[2].push(
      words.indexOf(index + 1, plane.count),
      words.position(positionMm(plane, index)),
      words.notForDiagnosis,
    );
    if (window) lines[3].push(words.windowValues(window.width, window.center));
    drawEdges(context, plane.orientation_labels, null, ratio);
  }
  drawWords(context, lines, ratio);
  return canvas.convertToBlob({ type: 'image/png' });
}

async function drawServerPicture(cell: ViewerCell): Promise<OffscreenCanvas | null> {
  const shown = cell.serverPicture;
  if (!shown) return null;
  const bitmap = await createImageBitmap(shown.picture);
  const ratio = devicePixelRatio;
  const canvas = new OffscreenCanvas(cell.size.width * ratio, cell.size.height * ratio);
  const context = canvas.getContext('2d');
  if (!context) return null;
  context.fillStyle = '#000';
  context.fillRect(0, 0, canvas.width, canvas.height);
  const { width: columns, height: rows } = shown.size;
  const extent = { columns, rows, aspect: aspectOf(cell.pictureStack, cell.detail.value) };
  // The words of CSS and of a canvas for the same matrix.
  const matrix = new DOMMatrix(placeImage(cell.size, extent, cell.view));
  context.setTransform(new DOMMatrix().scale(ratio).multiply(matrix));
  if (cell.view.isInverted) context.filter = 'invert(1)';
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return canvas;
}

/** Corner texts, as on the page: upper start, upper end, lower start, lower end. */
type Corners = [string[], string[], string[], string[]];

function patientLines(cell: ViewerCell, { hasPatient }: SaveOptions): string[] {
  const who = patientLine(cell.patient.value);
  return hasPatient ? [who.name, `${texts.viewer.id} ${who.id}`, `${who.born} ${who.sex}`] : [];
}

function cornerLines(cell: ViewerCell, options: SaveOptions): Corners {
  const { facts } = cell;
  const words = texts.viewer;
  const detail = cell.detail.value;
  const patient = patientLines(cell, options);
  if (!options.hasOverlays || !facts) return [patient, [], [], []];
  const { window } = facts;
  return [
    [...patient, detail?.study_date ?? ''],
    [detail?.modality ?? '', detail?.description ?? '', ...(cell.hasPixels ? [] : [words.badges.preview])],
    [
      words.indexOf(facts.index + 1, facts.count),
      facts.positionMm === null ? '' : words.position(facts.positionMm),
      words.notForDiagnosis,
    ],
    [
      window
        ? `${words.windowValues(window.width, window.center)} (${describeSource(window, facts.modality)})`
        : '',
      words.zoom(facts.scale * 100),
      facts.spacingMm ? words.spacing(facts.spacingMm[1], facts.spacingMm[0]) : words.noSpacing,
    ],
  ];
}

function drawWords(context: OffscreenCanvasRenderingContext2D, corners: Corners, ratio: number): void {
  const { width, height } = context.canvas;
  const [size, margin] = [12 * ratio, MARGIN * ratio];
  const line = size * 1.35;
  context.font = `${size}px system-ui, sans-serif`;
  context.fillStyle = '#eee';
  context.shadowColor = '#000';
  context.shadowBlur = 3 * ratio;
  context.textBaseline = 'top';
  const lines = corners.map((all) => all.filter(Boolean));
  lines.forEach((all, corner) => {
    const isEnd = corner % 2 === 1;
    context.textAlign = isEnd ? 'right' : 'left';
    all.forEach((text, n) => {
      const y = corner < 2 ? margin + n * line : height - margin - (all.length - n) * line;
      context.fillText(text, isEnd ? width - margin : margin, y);
    });
  });
}

/** The four letters, and a bar of known length where `pixelsPerMm` is. */
function drawEdges(
  context: OffscreenCanvasRenderingContext2D,
  labels: PictureFacts['labels'],
  pixelsPerMm: number | null,
  ratio: number,
): void {
  const { width, height } = context.canvas;
  const margin = MARGIN * ratio;
  context.font = `600 ${14 * ratio}px system-ui, sans-serif`;
  context.fillStyle = '#eee';
  context.shadowColor = '#000';
  context.shadowBlur = 3 * ratio;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  if (labels) {
    context.fillText(labels.top, width / 2, margin * 2);
    context.fillText(labels.bottom, width / 2, height - margin * 2);
    context.fillText(labels.left, margin * 2, height / 2);
    context.fillText(labels.right, width - margin * 2, height / 2);
  }
  const bar = pixelsPerMm ? scaleBarOf(pixelsPerMm, Math.min(160, width / ratio / 4)) : null;
  if (!bar) return;
  const length = bar.length * ratio;
  const y = height - margin * 5;
  context.fillRect((width - length) / 2, y, length, 2 * ratio);
  context.font = `${12 * ratio}px system-ui, sans-serif`;
  context.fillText(bar.label, width / 2, y - margin * 1.5);
}

/** Lets the browser keep a file, under a name that says nothing about anybody. */
export function keepFile(blob: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
