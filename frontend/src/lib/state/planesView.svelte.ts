/**
 * Axial, coronal and sagittal of the volume in a cell: one point in the patient that all three go through, a slab, and
 * how each picture lies in its pane. Cut in the browser, or by the server where that cannot be.
 *
 * Window and inversion are those of the cell, so that they are the same before and after.
 */
import type { Stack } from '$lib/api/types';
import {
  indexAt,
  inverse,
  apply,
  middleOf,
  movedTo,
  PLANE_NAMES,
  PROJECTIONS,
  slabRange,
  within,
  type Plane,
  type PlaneName,
  type Planes,
  type Point,
  type Projection,
} from '$lib/dicom/planes';
import type { PlaneVolume, PlaneVolumeState } from '$lib/viewer/planeTypes';
import type { Viewer, WindowSetting } from '$lib/viewer/types';
import type { ViewerCell } from './viewerCell.svelte';
import { MAX_SLAB_MM, type PlanesLink } from './viewerLink';

/** How a picture lies in its pane. */
export interface PaneView {
  zoom: number;
  pan: readonly [columns: number, rows: number];
}

const FIT: PaneView = { zoom: 1, pan: [0, 0] };
const MAX_ZOOM = 40;
/** A cell that shows the same stack next needs its slices still. */
const LINGER_MS = 1000;

export class PlanesView {
  readonly cell: ViewerCell;
  /** The plane whose pane is large, or alone on a phone. */
  large = $state<PlaneName>('axial');
  active = $state<PlaneName>('axial');
  slabMm = $state(0);
  projection = $state<Projection>('average');
  #point = $state.raw<Point | null>(null);
  #panes = $state.raw<Record<PlaneName, PaneView>>({ axial: FIT, coronal: FIT, sagittal: FIT });
  #dragged = $state.raw<WindowSetting | null>(null);
  #state = $state.raw<PlaneVolumeState | null>(null);
  #isServerChosen = $state(false);
  #volume: PlaneVolume | null = null;
  /** Which volume is open, and by which viewer: another one is opened anew. */
  #opened: readonly [viewer: Viewer, key: string] | null = null;

  constructor(cell: ViewerCell, link: PlanesLink | null = null) {
    this.cell = cell;
    if (link) this.turnTo(link);
  }

  /** Cuts as a link says. */
  turnTo(link: PlanesLink): void {
    this.large = this.active = link.large;
    this.slabMm = link.slabMm;
    this.projection = link.projection;
    this.#point = link.point;
  }

  get link(): PlanesLink {
    const { large, slabMm, projection } = this;
    return { large, point: this.#point, slabMm, projection };
  }

  /** The stack that is cut; null while nothing is known of it, or there is none. */
  get stack(): Stack | null {
    const detail = this.cell.detail.value;
    if (!detail) return null;
    const number = this.cell.stack ?? detail.middle?.stack ?? 0;
    return detail.stacks.find(({ stack }) => stack === number) ?? null;
  }

  get planes(): Planes | null {
    return this.stack?.planes ?? null;
  }

  /** Why nothing can be cut. */
  get refusal(): { code: string; message: string } | null {
    const detail = this.cell.detail.value;
    if (!detail || this.planes) return null;
    return this.stack?.planes_refused ?? { code: 'not_a_volume', message: '' };
  }

  get isServer(): boolean {
    return this.#isServerChosen;
  }

  /** Of what is cut in the browser; a new object whenever there is more to see. */
  get state(): PlaneVolumeState | null {
    return this.#isServerChosen ? null : this.#state;
  }

  get volume(): PlaneVolume | null {
    return this.#isServerChosen ? null : this.#volume;
  }

  /** The point that all planes go through. */
  get point(): Point | null {
    const { planes } = this;
    if (!planes) return this.#point;
    // A link may name any point.
    return this.#point ? within(planes, this.#point) : this.#firstPoint(planes);
  }

  /** As it is being dragged, as somebody chose it, or null: the file's own. */
  get window(): WindowSetting | null {
    return this.#dragged ?? this.cell.view.window;
  }

  /** The window in use; null where there is none, or it is not known yet. */
  get windowInUse(): Pick<WindowSetting, 'center' | 'width' | 'source'> | null {
    return this.window ?? this.state?.window ?? this.cell.facts?.window ?? null;
  }

  pane(name: PlaneName): PaneView {
    return this.#panes[name];
  }

  plane(name: PlaneName): Plane | null {
    return this.planes?.[name] ?? null;
  }

  index(name: PlaneName): number {
    const plane = this.plane(name);
    return plane && this.point ? indexAt(plane, this.point) : 0;
  }

  slab(name: PlaneName): [first: number, last: number] {
    const plane = this.plane(name);
    return plane ? slabRange(plane, this.index(name), this.slabMm) : [0, 0];
  }

  /** Whether the pixels of a plane are others than those of the slices. */
  isResampled(name: PlaneName): boolean {
    const [plane, stack, [first, last]] = [this.plane(name), this.stack, this.slab(name)];
    if (!plane || !stack) return false;
    const isSlice =
      plane.rows === stack.rows && plane.columns === stack.columns && plane.count === stack.count;
    return !isSlice || first !== last;
  }

  /** Opens the volume, or another one; does nothing where it is open, or cannot be. Synchronous on purpose: a stack that a cell leaves at the same time stays. */
  open(viewer: Viewer | null): void {
    const [detail, stack] = [this.cell.detail.value, this.stack];
    if (!detail || !stack?.planes || !stack.affine || !viewer || this.#isServerChosen) return;
    const key = `${detail.series_instance_uid}/${stack.stack}`;
    if (this.#opened?.[0] === viewer && this.#opened[1] === key) return;
    if (this.#opened && this.#opened[1] !== key) this.#point = null;
    this.#volume?.close();
    this.#opened = [viewer, key];
    this.#state = null;
    this.#volume = viewer.openPlanes({
      choice: {
        seriesInstanceUid: detail.series_instance_uid,
        studyInstanceUid: detail.study_instance_uid,
        stack: detail.middle?.stack == null ? stack.stack : this.cell.stack,
      },
      affine: stack.affine,
      index: this.cell.index,
      onchange: (state) => (this.#state = state),
    });
  }

  /** Leaves the cutting to the server. */
  useServer(): void {
    this.#isServerChosen = true;
    this.#volume?.close();
    this.#volume = null;
    this.#opened = null;
  }

  moveTo(point: Point): void {
    if (this.planes) this.#point = within(this.planes, point);
  }

  /** To the place in a picture: columns and rows from the middle of its first pixel. */
  moveToPixel(name: PlaneName, column: number, row: number): void {
    const plane = this.plane(name);
    if (plane) this.moveTo(apply(plane.affine, [column, row, this.index(name)]));
  }

  /** Where the point lies in a picture. */
  pixel(name: PlaneName): readonly [column: number, row: number] | null {
    const [plane, point] = [this.plane(name), this.point];
    if (!plane || !point) return null;
    const [column, row] = apply(inverse(plane.affine), point);
    return [column, row];
  }

  goTo(name: PlaneName, index: number): void {
    const [plane, point] = [this.plane(name), this.point];
    if (plane && point) this.#point = movedTo(plane, point, index);
  }

  step(name: PlaneName, by: number): void {
    this.goTo(name, this.index(name) + by);
  }

  setPane(name: PlaneName, change: Partial<PaneView>): void {
    const { zoom, pan } = { ...this.#panes[name], ...change };
    this.#panes = {
      ...this.#panes,
      [name]: { zoom: Math.max(0.1, Math.min(zoom, MAX_ZOOM)), pan },
    };
  }

  zoomBy(factor: number): void {
    this.setPane(this.active, { zoom: this.pane(this.active).zoom * factor });
  }

  fit(name: PlaneName): void {
    this.setPane(name, FIT);
  }

  setSlab(mm: number): void {
    if (Number.isFinite(mm)) this.slabMm = Math.max(0, Math.min(mm, MAX_SLAB_MM));
  }

  nextProjection(): void {
    this.projection =
      PROJECTIONS[(PROJECTIONS.indexOf(this.projection) + 1) % PROJECTIONS.length] ?? 'average';
  }

  /** Contrast and brightness while a button is held; `keepWindow` makes them those of the cell. */
  dragWindow(across: number, down: number): void {
    const now = this.windowInUse;
    if (!now) return;
    const step = Math.max(now.width, 1) / 400;
    this.#dragged = {
      center: now.center + down * step,
      width: Math.max(1, now.width + across * step),
      function: this.window?.function ?? this.state?.window?.function ?? 'LINEAR',
      source: 'set',
      explanation: null,
    };
  }

  keepWindow(): void {
    if (!this.#dragged) return;
    const { center, width } = this.#dragged;
    this.cell.setWindow({ center, width });
    this.#dragged = null;
  }

  reset(): void {
    this.#panes = { axial: FIT, coronal: FIT, sagittal: FIT };
    this.slabMm = 0;
    this.projection = 'average';
    this.#point = this.planes && middleOf(this.planes);
    this.cell.reset();
  }

  makeLarge(name: PlaneName): void {
    this.large = this.active = name;
  }

  /** Leaves the planes; the cell goes on with the slice through the point. */
  close(): void {
    const [stack, point, volume] = [this.stack, this.point, this.#volume];
    if (stack?.affine && point) {
      const [, , slice] = apply(inverse(stack.affine), point);
      this.cell.goTo(Math.round(slice));
    }
    this.#volume = null;
    this.#opened = null;
    if (volume) setTimeout(() => volume.close(), LINGER_MS);
  }

  /** The middle of the volume, in the slice that was shown. */
  #firstPoint(planes: Planes): Point {
    const middle = middleOf(planes);
    const [affine, index] = [this.stack?.affine, this.cell.index];
    if (!affine || index === null) return middle;
    const [column, row] = apply(inverse(affine), middle);
    return within(planes, apply(affine, [column, row, index]));
  }
}

export { PLANE_NAMES };
