/**
 * One place of the viewer's layout: which series lies in it, what the server says about it, and its picture.
 *
 * The server's rendered picture comes first; once the module that draws is there (`attach`), it draws the file's own
 * pixels over it. Where it cannot be used (no WebGL, too large for this page) the server's pictures stay, and
 * everything that does not need pixel values works with them.
 */
import { readMetadata } from '$lib/api/metadata';
import { readPatient } from '$lib/api/patient';
import type { Patient, VolumeDetail } from '$lib/api/types';
import { readVolume } from '$lib/api/volumes';
import type { Size } from '$lib/dicom/geometry';
import { factsOf, type InstanceFacts } from '$lib/dicom/instanceFacts';
import { presetFor } from '$lib/dicom/presets';
import type {
  CellHandlers,
  CellState,
  CellView,
  ImageCell,
  ProbeResult,
  Viewer,
  WindowSetting,
} from '$lib/viewer/types';
import { Latest } from './latest.svelte';
import { loadSlice, type ShownSlice } from './sliceView.svelte';
import { factsOfPixels, factsOfServer, stackOf, type PictureFacts } from './viewerFacts';
import { cellLink, type CellLink } from './viewerLink';

const PLAIN_VIEW: CellView = {
  index: 0,
  window: null,
  isInverted: false,
  zoom: 1,
  pan: [0, 0],
  rotation: 0,
  isFlippedHorizontally: false,
  isFlippedVertically: false,
};

export class ViewerCell {
  readonly detail = new Latest<VolumeDetail>();
  readonly patient = new Latest<Patient>();
  /** What the first shown instance says beyond its place in the series. */
  readonly instance = new Latest<InstanceFacts>();
  readonly picture = new Latest<ShownSlice>((shown) => URL.revokeObjectURL(shown.url));
  /** Of the element that the picture is drawn in. */
  size = $state.raw<Size>({ width: 0, height: 0 });
  probe = $state.raw<ProbeResult | null>(null);
  /** Frames a second that somebody chose; null: the file's own. */
  rate = $state<number | null>(null);
  #series = $state<string | null>(null);
  #stack = $state<number | null>(null);
  #view = $state.raw<CellView>(PLAIN_VIEW);
  /** Null until it is known which slice is in the middle. */
  #index = $state<number | null>(null);
  #state = $state.raw<CellState | null>(null);
  #engine: ImageCell | null = null;
  #isServerOnly = $state(false);

  get series(): string | null {
    return this.#series;
  }

  get stack(): number | null {
    return this.#stack;
  }

  /** Null: nothing draws here, or not yet. */
  get state(): CellState | null {
    return this.#isServerOnly ? null : this.#state;
  }

  get engine(): ImageCell | null {
    return this.#isServerOnly ? null : this.#engine;
  }

  /** Whether the server's pictures are all that is wanted or possible. */
  get isServerOnly(): boolean {
    return this.#isServerOnly;
  }

  get #isDriven(): boolean {
    const phase = this.state?.phase;
    return phase === 'opening' || phase === 'open';
  }

  get view(): CellView {
    return this.#isDriven && this.#state ? this.#state.view : this.#view;
  }

  /** The wanted slice, from 0; null while the server chooses. */
  get index(): number | null {
    return this.#isDriven && this.#state && this.#state.count > 0 ? this.#state.view.index : this.#index;
  }

  get count(): number {
    const drawn = this.state?.count ?? 0;
    return drawn > 0 ? drawn : (this.picture.value?.count ?? this.#countOfDetail ?? 0);
  }

  get #countOfDetail(): number | null {
    const detail = this.detail.value;
    if (!detail) return null;
    if (this.#stack === null) return detail.middle?.count ?? detail.slice_count;
    return detail.stacks.find(({ stack }) => stack === this.#stack)?.count ?? null;
  }

  get hasPixels(): boolean {
    return this.state?.shownIndex != null;
  }

  /** About what one sees: the pixels on the canvas, else the server's picture. */
  get facts(): PictureFacts | null {
    return (
      factsOfPixels(this.state) ??
      (this.#showsServer ? factsOfServer(this.serverPicture, this.detail.value, this.view, this.size) : null)
    );
  }

  /** The server's picture stands in until pixels were drawn; a slice that failed here is not papered over. */
  get #showsServer(): boolean {
    return this.#isServerOnly || this.#state === null || !this.#wasDrawn;
  }

  #wasDrawn = $state(false);

  /** Waits for the proportion of its pixels: a picture that is drawn out afterwards was a wrong one. */
  get serverPicture(): ShownSlice | null {
    const hasProportion = this.detail.value !== null || this.detail.error !== null;
    return this.#showsServer && !this.hasPixels && hasProportion ? this.picture.value : null;
  }

  get pictureStack() {
    return stackOf(this.picture.value, this.detail.value);
  }

  /** Why there is nothing to see. */
  get problem(): unknown {
    if (this.detail.error) return this.detail.error;
    if (this.state && (this.state.phase === 'failed' || this.#wasDrawn)) return this.state.problem ?? null;
    return this.state?.problem ?? this.picture.error;
  }

  get isLoading(): boolean {
    const isElsewhere = this.picture.value !== null && this.picture.value.index !== this.index;
    // A preview of the wanted slice is worth as much as its pixels; one of another slice is not.
    if (this.#isDriven && (this.#wasDrawn || isElsewhere)) return this.state?.isLoading ?? false;
    return this.picture.isBusy && this.picture.value === null;
  }

  /** Puts a series, looked at as the link says, into this place. */
  open(link: CellLink): void {
    this.#forget();
    this.#series = link.series;
    this.#stack = link.stack;
    this.#index = link.slice === null ? null : link.slice - 1;
    this.#view = {
      ...PLAIN_VIEW,
      index: this.#index ?? 0,
      window: link.window && toWindow(link.window),
      isInverted: link.isInverted,
      zoom: link.zoom ?? 1,
      pan: link.pan ?? [0, 0],
      rotation: link.rotation ?? 0,
      isFlippedHorizontally: link.isFlippedHorizontally,
      isFlippedVertically: link.isFlippedVertically,
    };
    const { series } = link;
    this.#pictured = this.#askPicture();
    void this.patient.ask((signal) => readPatient(series, signal));
    void this.detail.ask((signal) => readVolume(series, signal)).then(() => this.#settle(series));
  }

  #pictured: Promise<void> = Promise.resolve();

  /** Settles when the server answered with the first picture, or that there is none. */
  get pictured(): Promise<void> {
    return this.#pictured;
  }

  /** Empties this place. */
  close(): void {
    this.#forget();
    this.#engine?.clear();
  }

  #forget(): void {
    for (const one of [this.detail, this.patient, this.instance, this.picture]) one.clear();
    this.#letGo?.();
    this.#letGo = null;
    this.#series = null;
    this.#isServerOnly = false;
    this.#wasDrawn = false;
    this.#state = null;
    this.#isTold = false;
    this.probe = null;
    this.rate = null;
    this.#notedCount = null;
  }

  /** Gives the place an element to draw in. Returns how to take it away. */
  attach(viewer: Viewer, element: HTMLDivElement, handlers: CellHandlers): () => void {
    const engine = viewer.createCell(element, {
      ...handlers,
      onchange: (state) => this.#follow(state),
      onprobe: (result) => (this.probe = result),
      onwindowless: (isDrawnByServer) => {
        if (isDrawnByServer) this.useServer();
        else handlers.onwindowless?.(false);
      },
    });
    this.#engine = engine;
    void this.#show();
    return () => {
      // What was looked at stays, for the element that comes next (another layout).
      if (this.#state) {
        this.#view = this.#state.view;
        if (this.#state.count > 0) this.#index = this.#state.view.index;
      }
      this.#engine = null;
      this.#state = null;
      this.#wasDrawn = false;
      engine.destroy();
    };
  }

  #follow(state: CellState): void {
    if (state.series?.seriesInstanceUid !== this.#series) return;
    this.#state = state;
    if (state.shownIndex !== null) this.#wasDrawn = true;
    if (state.slice) this.#askInstance(state.slice.sopInstanceUid);
  }

  #settle(series: string): void {
    if (this.#series !== series) return;
    const detail = this.detail.value;
    if (!detail) return;
    if (this.#view.window) {
      const { center, width } = this.#view.window;
      this.#view = { ...this.#view, window: nameWindow({ center, width }, detail) };
    }
    const uid = this.picture.value?.sopInstanceUid ?? detail.middle?.sop_instance_uid;
    if (uid && !this.#engine) this.#askInstance(uid);
    if (this.#engine) void this.#show();
    else void this.#fetchAhead(detail);
  }

  /** Lets go of what was fetched before there was an element to draw in. */
  #letGo: (() => void) | null = null;

  async #fetchAhead(detail: VolumeDetail): Promise<void> {
    const { fetchAhead } = await import('$lib/viewer');
    if (this.#engine || this.#isServerOnly || detail !== this.detail.value) return;
    this.#index ??= this.#middleIndex(detail);
    this.#letGo?.();
    this.#letGo = fetchAhead(this.#choiceOf(detail), this.#index);
  }

  #choiceOf(detail: VolumeDetail) {
    return {
      seriesInstanceUid: detail.series_instance_uid,
      studyInstanceUid: detail.study_instance_uid,
      stack: this.#stack,
    };
  }

  async #show(options: { isWindowed?: boolean } = {}): Promise<void> {
    const detail = this.detail.value;
    if (!this.#engine || !detail || detail.series_instance_uid !== this.#series || this.#isServerOnly) return;
    this.#index ??= this.#middleIndex(detail);
    const shown = this.#engine.show(this.#choiceOf(detail), { ...this.#view, index: this.#index }, options);
    // The engine holds it now itself.
    this.#letGo?.();
    this.#letGo = null;
    await shown;
  }

  #middleIndex(detail: VolumeDetail): number {
    if (this.#stack === null) return this.picture.value?.index ?? detail.middle?.index ?? 0;
    const stack = detail.stacks.find(({ stack }) => stack === this.#stack);
    return stack?.middle?.index ?? Math.floor((stack?.count ?? 0) / 2);
  }

  /** How many slices there were before files changed, as long as nobody took note of it. */
  get countBefore(): number | null {
    const { count = 0, countBefore = null } = this.state ?? {};
    return count > 0 && countBefore !== count && this.#notedCount !== count ? countBefore : null;
  }

  noteCount(): void {
    this.#notedCount = this.state?.count ?? null;
  }

  #notedCount = $state<number | null>(null);

  /** Loads only slices near the one shown. */
  showWindowed(): void {
    void this.#show({ isWindowed: true });
  }

  /** Leaves the drawing to the server. */
  useServer(): void {
    if (this.#state) {
      this.#view = this.#state.view;
      this.#index = this.#state.count > 0 ? this.#state.view.index : this.#index;
    }
    this.#engine?.clear();
    this.#letGo?.();
    this.#isServerOnly = true;
    if (this.picture.value?.index !== this.#index) void this.#askPicture();
  }

  retry(): void {
    const series = this.#series;
    if (!series) return;
    if (this.patient.error) void this.patient.retry();
    if (this.detail.error) void this.detail.retry().then(() => this.#settle(series));
    if (this.picture.error) void this.picture.retry();
    if (this.#state?.phase === 'failed') void this.#show();
    else this.#engine?.retry();
  }

  async #askPicture(): Promise<void> {
    if (!this.#series) return;
    const { center, width } = this.#view.window ?? { center: null, width: null };
    const address = { series: this.#series, stack: this.#stack, index: this.#index, center, width };
    await this.picture.ask((signal) => loadSlice(address, signal));
    const shown = this.picture.value;
    if (shown && this.#index === null && this.#series === address.series) this.#index = shown.index;
    if (shown && this.#index === shown.index) this.#view = { ...this.#view, index: shown.index };
  }

  #isTold = false;

  #askInstance(instance: string): void {
    const detail = this.detail.value;
    if (this.#isTold || !detail) return;
    this.#isTold = true;
    const address = { study: detail.study_instance_uid, series: detail.series_instance_uid, instance };
    void this.instance.ask(async (signal) => factsOf(await readMetadata(address, signal)));
  }

  /** Goes to a slice; positions beyond the ends stop there. */
  goTo(index: number): void {
    if (this.count === 0) return;
    const target = Math.min(Math.max(Math.round(index), 0), this.count - 1);
    if (target === this.index && !this.problem) return;
    if (this.#state?.phase === 'open' && this.#isDriven) return this.#engine?.scrollTo(target);
    this.#index = target;
    this.#view = { ...this.#view, index: target };
    // One that is still opening opens there.
    this.engine?.scrollTo(target);
    void this.#askPicture();
  }

  step(by: number): void {
    // Keys may come faster than the engine tells where it is: it counts itself.
    if (this.#isDriven && this.#state?.phase === 'open') return this.#engine?.scrollBy(by);
    if (this.index !== null) this.goTo(this.index + by);
  }

  update(change: Partial<CellView>): void {
    if (this.#isDriven) return this.#engine?.update(change);
    this.#view = { ...this.#view, ...change };
    if ('window' in change) void this.#askPicture();
  }

  /** `source` tells apart a preset and a window of the file that happen to be the same. */
  setWindow(window: { center: number; width: number; source?: 'file' | 'preset' } | null): void {
    if (window && !(window.width > 0 && Number.isFinite(window.center) && Number.isFinite(window.width)))
      return;
    // What the server drew has no values here to window anew: it draws it again.
    if (this.state?.slice?.isDrawnByServer) this.useServer();
    this.update({ window: window && nameWindow(window, this.detail.value, window.source) });
  }

  rotate(degrees: number): void {
    this.update({ rotation: (((this.view.rotation + degrees) % 360) + 360) % 360 });
  }

  zoomBy(factor: number): void {
    this.update({ zoom: Math.min(Math.max(this.view.zoom * factor, 0.05), 40) });
  }

  fit(): void {
    if (this.#isDriven) this.#engine?.fit();
    else this.update({ zoom: 1, pan: [0, 0] });
  }

  reset(): void {
    if (this.#isDriven) return this.#engine?.reset();
    const { zoom, pan, rotation, isFlippedHorizontally, isFlippedVertically, isInverted, window } =
      PLAIN_VIEW;
    this.update({ zoom, pan, rotation, isFlippedHorizontally, isFlippedVertically, isInverted, window });
  }

  /** One mm of the patient on one mm of the screen. False where the spacing is unknown. */
  oneToOneMm(): boolean {
    if (this.#isDriven) return this.#engine?.oneToOneMm() ?? false;
    const mm = this.facts?.mmPerCssPixel;
    if (!mm) return false;
    this.zoomBy(mm / (25.4 / 96));
    return true;
  }

  /** Everything that a link says about this place; null where it is empty. */
  toLink(): CellLink | null {
    if (!this.#series) return null;
    const { window, zoom, pan, rotation, isFlippedHorizontally, isFlippedVertically, isInverted } = this.view;
    return cellLink(this.#series, {
      stack: this.#stack,
      slice: this.index === null ? null : this.index + 1,
      window: window && { center: window.center, width: window.width },
      zoom,
      pan: [pan[0], pan[1]],
      rotation,
      isFlippedHorizontally,
      isFlippedVertically,
      isInverted,
    });
  }
}

const toWindow = ({ center, width }: { center: number; width: number }): WindowSetting => ({
  center,
  width,
  function: 'LINEAR',
  source: 'set',
  explanation: null,
});

/** A window that somebody asked for by its numbers, under the name that it goes by. */
export function nameWindow(
  { center, width }: { center: number; width: number },
  detail: VolumeDetail | null,
  source?: 'file' | 'preset',
): WindowSetting {
  const offered = detail?.windows.find((one) => one.center === center && one.width === width);
  if (offered && source !== 'preset') {
    const { explanation } = offered;
    return {
      center,
      width,
      function: offered.function as WindowSetting['function'],
      source: 'file',
      explanation,
    };
  }
  const preset = presetFor(detail?.modality ?? null, { center, width });
  const { function: own } = detail?.windows[0] ?? { function: 'LINEAR' };
  const plain = { ...toWindow({ center, width }), function: own as WindowSetting['function'] };
  return preset ? { ...plain, source: 'preset', explanation: preset.id } : plain;
}
