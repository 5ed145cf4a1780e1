/**
 * The measurements of the person who is signed in, for the series on the page. Each change is on the page at once and on
 * the server soon after; what other tabs of the same person do arrives here, too.
 */
import { readMeasurements, type StoredMeasurement } from '$lib/api/measurements';
import { History, type Step } from '$lib/measurements/history';
import { newIdentifier } from '$lib/measurements/identifier';
import { isSame, Saving, type SaveState } from '$lib/measurements/saving';
import { session } from './session.svelte';
import { isSamePlace, type ImagePlace, type MeasurementContent } from '$lib/measurements/types';

export interface Entry {
  id: string;
  content: MeasurementContent;
  state: SaveState;
  problem: unknown;
  /** Of this list: what was drawn later is larger. */
  order: number;
}

/** What the page is to say: another tab was first. */
export interface MeasurementNews {
  what: 'changed' | 'deleted';
  label: string;
}

/** Reading the list of one series. */
interface SeriesList {
  etag: string | null;
  isLoading: boolean;
  error: unknown;
}

const CHANNEL = 'imageserver-measurements';

export class Measurements {
  #entries = $state.raw<readonly Entry[]>([]);
  #series = $state.raw<Readonly<Record<string, SeriesList>>>({});
  #news = $state.raw<MeasurementNews | null>(null);
  #canUndo = $state(false);
  #canRedo = $state(false);
  /** The one that handles are shown of. */
  selectedId = $state<string | null>(null);
  /** The one whose name is being typed. */
  renamingId = $state<string | null>(null);
  readonly #isOwn: () => boolean;
  readonly #history = new History();
  readonly #saving = new Saving({
    mayGoOn: () => this.#isOwn(),
    onstate: (id, state, problem) => this.#note(id, state, problem),
    onreplaced: (id, present) => this.#takeOther(id, present),
    onstored: () => {
      this.#changes += 1;
      this.#tellOtherTabs();
    },
  });
  /** What the server has not yet, deletions among it. */
  #unsaved = $state.raw<Readonly<Record<string, SaveState>>>({});
  #order = 0;
  #changes = 0;
  #tabs: BroadcastChannel | null = null;

  /** `username` tells who is signed in: what one person measured is never saved as another's. */
  constructor(username: () => string | null = () => session.username) {
    let owner = username();
    this.#isOwn = () => {
      // Made while the page loads, this may be here before it is known who is signed in.
      owner ??= username();
      return owner !== null && username() === owner;
    };
  }

  /** In the order in which they were made. */
  get all(): readonly Entry[] {
    return this.#entries;
  }

  get selected(): Entry | null {
    return this.find(this.selectedId);
  }

  get news(): MeasurementNews | null {
    return this.#news;
  }

  get canUndo(): boolean {
    return this.#canUndo;
  }

  get canRedo(): boolean {
    return this.#canRedo;
  }

  /** How many changes the server does not have yet. */
  get unsaved(): number {
    return Object.keys(this.#unsaved).length;
  }

  /** Of all, the state that matters most. */
  get state(): SaveState {
    const states = Object.values(this.#unsaved);
    return (['refused', 'waiting', 'saving'] as const).find((one) => states.includes(one)) ?? 'saved';
  }

  get isUnsaved(): boolean {
    return this.#saving.isUnsaved;
  }

  find(id: string | null): Entry | null {
    return this.#entries.find((entry) => entry.id === id) ?? null;
  }

  on(place: Pick<ImagePlace, 'sopInstanceUid' | 'frameNumber'>): Entry[] {
    return this.#entries.filter(({ content }) => isSamePlace(content.place, place));
  }

  of(seriesInstanceUid: string): Entry[] {
    return this.#entries.filter(({ content }) => content.place.seriesInstanceUid === seriesInstanceUid);
  }

  isLoading(seriesInstanceUid: string): boolean {
    return this.#series[seriesInstanceUid]?.isLoading ?? false;
  }

  errorOf(seriesInstanceUid: string): unknown {
    return this.#series[seriesInstanceUid]?.error ?? null;
  }

  /** The series that were asked for. */
  get series(): string[] {
    return Object.keys(this.#series);
  }

  /** Reads what was measured in a series; again where that was done before. */
  async load(series: string): Promise<void> {
    const known = this.#series[series];
    if (known?.isLoading) return;
    this.#series = { ...this.#series, [series]: { etag: known?.etag ?? null, isLoading: true, error: null } };
    let [etag, error]: [string | null, unknown] = [known?.etag ?? null, null];
    try {
      const list = await this.#readWhileNothingChanges(series, etag);
      if (!(series in this.#series)) return; // cleared meanwhile
      if (list) {
        etag = list.etag;
        this.#accept(series, list.measurements);
      }
    } catch (reason) {
      error = reason;
    }
    if (series in this.#series) {
      this.#series = { ...this.#series, [series]: { etag, isLoading: false, error } };
    }
  }

  /** Adds a measurement and selects it. */
  add(content: MeasurementContent): string {
    const id = newIdentifier();
    this.#do({ id, before: null, after: content });
    this.selectedId = id;
    return id;
  }

  change(id: string, change: Partial<Pick<MeasurementContent, 'label' | 'points' | 'values'>>): void {
    const before = this.find(id)?.content;
    if (!before) return;
    const after = { ...before, ...change };
    if (!isSame(before, after)) this.#do({ id, before, after });
  }

  /** Completes values that could not be computed before: not something that a person did. */
  complete(id: string, values: MeasurementContent['values']): void {
    const before = this.find(id)?.content;
    if (before) this.#apply(id, { ...before, values });
  }

  remove(id: string): void {
    const before = this.find(id)?.content;
    if (before) this.#do({ id, before, after: null });
  }

  /** Takes back what was done last; returns what it was. */
  undo(): Step | null {
    const step = this.#history.undo();
    if (step) this.#apply(step.id, step.before);
    this.#follow();
    return step;
  }

  redo(): Step | null {
    const step = this.#history.redo();
    if (step) this.#apply(step.id, step.after);
    this.#follow();
    return step;
  }

  retry(): void {
    this.#saving.retry();
  }

  /** Follows other tabs, and asks again when the person or the network comes back. Returns how to stop. */
  listen(): () => void {
    const reload = () => {
      for (const series of Object.keys(this.#series)) void this.load(series);
    };
    const comeBack = () => {
      if (document.visibilityState === 'hidden') return;
      this.#saving.retry();
      reload();
    };
    const warn = (event: BeforeUnloadEvent) => {
      if (this.isUnsaved) event.preventDefault();
    };
    this.#tabs = new BroadcastChannel(CHANNEL);
    this.#tabs.onmessage = reload;
    window.addEventListener('online', comeBack);
    window.addEventListener('focus', comeBack);
    window.addEventListener('beforeunload', warn);
    return () => {
      window.removeEventListener('online', comeBack);
      window.removeEventListener('focus', comeBack);
      window.removeEventListener('beforeunload', warn);
      this.#tabs?.close();
      this.#tabs = null;
      this.#saving.retry(); // what is not saved yet goes now, without the pause
    };
  }

  /** Takes everything off the page; what is on its way to the server arrives. */
  clear(): void {
    this.#saving.stop();
    this.#history.clear();
    this.#entries = [];
    this.#series = {};
    this.#unsaved = {};
    this.#news = null;
    this.selectedId = null;
    this.#follow();
  }

  /** A list that was asked for before a change, and came after it, would take the change back. */
  async #readWhileNothingChanges(series: string, etag: string | null) {
    for (;;) {
      const changes = this.#changes;
      const list = await readMeasurements(series, etag);
      if (changes === this.#changes) return list;
    }
  }

  #do(step: Step): void {
    this.#history.note(step);
    this.#follow();
    this.#apply(step.id, step.after);
  }

  #apply(id: string, content: MeasurementContent | null): void {
    this.#news = null;
    this.#changes += 1;
    this.#put(id, content, 'saving');
    this.#saving.want(id, content);
  }

  #put(id: string, content: MeasurementContent | null, state: SaveState): void {
    const others = this.#entries.filter((entry) => entry.id !== id);
    if (content === null) {
      this.#entries = others;
      if (this.selectedId === id) this.selectedId = null;
      return;
    }
    if (others.length < this.#entries.length) this.#replace(id, { content, state, problem: null });
    else this.#entries = [...others, { id, content, state, problem: null, order: ++this.#order }];
  }

  #note(id: string, state: SaveState, problem: unknown): void {
    const others = Object.entries(this.#unsaved).filter(([one]) => one !== id);
    this.#unsaved = Object.fromEntries(state === 'saved' ? others : [...others, [id, state]]);
    this.#replace(id, { state, problem });
  }

  #replace(id: string, change: Partial<Entry>): void {
    this.#entries = this.#entries.map((entry) => (entry.id === id ? { ...entry, ...change } : entry));
  }

  #accept(series: string, stored: readonly StoredMeasurement[]): void {
    for (const { id } of this.of(series)) {
      if (stored.some((one) => one.id === id) || !this.#saving.forget(id)) continue;
      this.#history.forget(id);
      this.#put(id, null, 'saved');
    }
    for (const one of stored) {
      const known = this.find(one.id);
      if (!this.#saving.learn(one) || (known && isSame(known.content, one.content))) continue;
      this.#history.forget(one.id);
      this.#put(one.id, one.content, 'saved');
    }
    this.#follow();
  }

  #takeOther(id: string, present: StoredMeasurement | null): void {
    const label = present?.content.label ?? this.find(id)?.content.label ?? '';
    this.#history.forget(id);
    this.#follow();
    this.#put(id, present?.content ?? null, 'saved');
    this.#news = { what: present ? 'changed' : 'deleted', label };
  }

  #tellOtherTabs(): void {
    // Only that something is new: each tab asks the server what, by its own session.
    this.#tabs?.postMessage('saved');
  }

  #follow(): void {
    this.#canUndo = this.#history.canUndo;
    this.#canRedo = this.#history.canRedo;
  }
}
