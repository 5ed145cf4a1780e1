/** The viewer as a whole: which cells there are, which is active, which tool is in hand, and what is open beside. */
import { readStudy, type StudyDetail } from '$lib/api/studies';
import type { ToolName, Viewer } from '$lib/viewer/types';
import { MEASUREMENT_KINDS } from '$lib/measurements/types';
import { Latest } from './latest.svelte';
import { Measurements } from './measurements.svelte';
import { isNarrow } from './narrow';
import type { PlanesView } from './planesView.svelte';
import { ViewerCell } from './viewerCell.svelte';
import {
  CELL_COUNTS,
  cellLink,
  writeLink,
  type Layout,
  type PlanesLink,
  type ViewerLink,
} from './viewerLink';
import { LinkedScroll } from './viewerLinkedScroll.svelte';

/** What lies beside the pictures. */
export type Panel = 'why' | 'attributes' | 'measurements';

const MOST_CELLS = 4;
/** So long other work waits for the server's picture. */
const PATIENCE_MS = 500;

const isMeasuring = (tool: ToolName) => (MEASUREMENT_KINDS as readonly string[]).includes(tool);

export class ViewerPage {
  readonly cells = Array.from({ length: MOST_CELLS }, () => new ViewerCell());
  readonly study = new Latest<StudyDetail>();
  readonly linked = new LinkedScroll();
  readonly measurements = new Measurements();
  layout = $state<Layout>('1x1');
  hasOverlays = $state(true);
  isStripOpen = $state(true);
  isSheetOpen = $state(false);
  isSaving = $state(false);
  isLayoutOpen = $state(false);
  /** What was just done, for a moment. */
  said = $state<
    'linkCopied' | 'notCopied' | 'saved' | 'noSpacing' | 'noPrior' | 'noWindow' | 'copied' | null
  >(null);
  /** The planes on the screen, while the layout shows them: what acts on the picture acts on them. */
  planes = $state.raw<PlanesView | null>(null);
  /** How the planes of a link are to be cut, until they are on the screen. */
  wantedPlanes: PlanesLink | null = null;
  /** Leaves the viewer. */
  leave: () => void = () => {};
  panel = $state<Panel | null>(null);
  #active = $state(0);
  /** The tool to begin with: a finger scrolls, a mouse has a wheel for that. */
  readonly ownTool: ToolName;
  #tool: ToolName = $state('window');
  #viewer = $state.raw<Viewer | null>(null);
  #engineError = $state.raw<unknown>(null);
  /** The series of the address, for when the first cell is empty. */
  #home = $state('');

  constructor(isTouch = false) {
    this.ownTool = isTouch ? 'scroll' : 'window';
    this.#tool = this.ownTool;
  }

  get active(): ViewerCell {
    return this.cells[this.#active] as ViewerCell;
  }

  get activeIndex(): number {
    return this.#active;
  }

  /** The cells of the layout. */
  get shown(): ViewerCell[] {
    return this.cells.slice(0, CELL_COUNTS[this.layout]);
  }

  /** Settles when the server's picture for the active cell came, or nobody should wait for it any longer. */
  get firstPicture(): Promise<void> {
    const late = new Promise<void>((resolve) => setTimeout(resolve, PATIENCE_MS));
    return Promise.race([this.active.pictured, late]);
  }

  get home(): string {
    return this.#home;
  }

  get tool(): ToolName {
    return this.#tool;
  }

  /** The module that draws, once it is loaded. */
  get viewer(): Viewer | null {
    return this.#viewer;
  }

  /** Why pictures are drawn by the server only, such as a browser without WebGL. */
  get engineError(): unknown {
    return this.#engineError;
  }

  /** More than one patient at a time: each cell must say whose it is. */
  get hasSeveralPatients(): boolean {
    const ids = this.shown.flatMap(({ patient: { value } }) =>
      value ? [`${value.patient_id ?? ''}\n${value.name ?? ''}`] : [],
    );
    return ids.some((id) => id !== ids[0]);
  }

  /** Shows what a link says; cells that show their series already are only turned to it. */
  open(link: ViewerLink): void {
    this.layout = link.layout;
    this.#active = link.active;
    if (link.planes && this.planes) this.planes.turnTo(link.planes);
    else this.wantedPlanes = link.planes ?? null;
    this.#home = link.cells[0]?.series ?? this.#home;
    this.cells.forEach((cell, place) => {
      const wanted = link.cells[place] ?? null;
      if (wanted) cell.open(wanted);
      else if (cell.series) cell.close();
    });
  }

  /** The series list of the study that the active cell belongs to. */
  followStudy(studyInstanceUid: string | null): void {
    if (!studyInstanceUid || this.study.value?.study_instance_uid === studyInstanceUid) return;
    void this.study.ask((signal) => readStudy(studyInstanceUid, signal));
  }

  get link(): ViewerLink {
    return {
      layout: this.layout,
      cells: this.shown.map((cell) => cell.toLink()),
      active: this.#active,
      planes: this.layout === 'planes' ? (this.planes?.link ?? this.wantedPlanes) : null,
    };
  }

  /** The address of this exact view, from the root of the site. */
  get address(): string {
    return writeLink(this.link, this.#home);
  }

  activate(place: number): void {
    if (place >= 0 && place < this.shown.length) this.#active = place;
  }

  useLayout(layout: Layout): void {
    // The active picture stays in sight when places are taken away.
    const count = CELL_COUNTS[layout];
    if (this.#active >= count) {
      const kept = this.active.toLink();
      if (kept) this.cells[0]?.open(kept);
      this.#active = 0;
    }
    this.cells.slice(count).forEach((cell) => cell.series && cell.close());
    // Nothing is measured on planes: no tool is in hand that could do nothing.
    if (layout === 'planes' && isMeasuring(this.#tool)) this.useTool(this.ownTool);
    this.layout = layout;
  }

  /** Puts a series into a cell: the active one, or the one given. */
  show(series: string, place = this.#active): void {
    const cell = this.cells[place];
    if (!cell || place >= this.shown.length) return;
    cell.open(cellLink(series));
    this.#active = place;
    // There it lies over what was asked for.
    if (isNarrow()) this.isStripOpen = false;
  }

  /** A name is to be typed for a measurement, in the list. */
  renameMeasurement(id: string): void {
    this.measurements.renamingId = id;
    this.panel = 'measurements';
  }

  /** Shows a series in the next place, beside what is there. */
  showBeside(series: string): void {
    if (this.layout === '1x1' || this.layout === 'planes') this.useLayout('1x2');
    const free = this.shown.findIndex((cell, place) => place !== this.#active && !cell.series);
    const next = free >= 0 ? free : (this.#active + 1) % this.shown.length;
    this.show(series, next);
  }

  /** Shows the newest earlier study of the patient beside: its series that is most like the one shown. */
  async showPriorBeside(study = this.#newestPrior): Promise<void> {
    if (!study) return void (this.said = 'noPrior');
    const modality = this.active.detail.value?.modality ?? null;
    const description = this.active.detail.value?.description ?? null;
    const detail = await readStudy(study);
    const series = mostAlike(detail, modality, description);
    if (series) this.showBeside(series);
    else this.said = 'noPrior';
  }

  get #newestPrior(): string | null {
    const study = this.study.value;
    if (!study) return null;
    const date = study.study_date ?? '9999';
    const others = [...study.other_studies].sort((a, b) =>
      (b.study_date ?? '').localeCompare(a.study_date ?? ''),
    );
    const prior = others.find((one) => (one.study_date ?? '') <= date) ?? others[0];
    return prior?.study_instance_uid ?? null;
  }

  /** Escape: what was opened last is closed; nothing open: where one came from. */
  stepBack(): void {
    if (this.isSheetOpen) this.isSheetOpen = false;
    else if (this.isSaving) this.isSaving = false;
    else if (this.isLayoutOpen) this.isLayoutOpen = false;
    else if (this.panel) this.panel = null;
    else if (this.isStripOpen && isNarrow()) this.isStripOpen = false;
    else if (this.active.state?.isPlaying) this.active.engine?.pause();
    else if (this.#tool !== this.ownTool) this.useTool(this.ownTool);
    else this.leave();
  }

  useTool(tool: ToolName): void {
    this.#tool = tool;
    this.#viewer?.setTool(tool);
  }

  useViewer(viewer: Viewer): void {
    this.#viewer = viewer;
    viewer.setTool(this.#tool);
  }

  failViewer(error: unknown): void {
    this.#engineError = error;
  }

  toggle(panel: Panel): void {
    this.panel = this.panel === panel ? null : panel;
  }

  destroy(): void {
    for (const cell of this.cells) cell.close();
    this.study.clear();
    this.linked.destroy();
    this.#viewer?.destroy();
    this.#viewer = null;
  }
}

/** Of another study: the series with the same description, else of the same modality, else the one that stands for it. */
export function mostAlike(
  { series, series_instance_uid: own }: Pick<StudyDetail, 'series' | 'series_instance_uid'>,
  modality: string | null,
  description: string | null,
): string | null {
  const shown = series.filter(({ slice_count }) => slice_count > 0);
  const same = shown.filter((one) => one.modality === modality);
  const named = description ? same.find((one) => one.description === description) : undefined;
  const largest = [...same].sort((a, b) => b.slice_count - a.slice_count)[0];
  return (named ?? largest)?.series_instance_uid ?? own;
}
