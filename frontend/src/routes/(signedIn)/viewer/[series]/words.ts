/** The picture in words: what stands in its corners, what is announced, and what stands in for it. */
import type { Patient } from '$lib/api/types';
import { formatDay } from '$lib/dicom/date';
import { planeOf } from '$lib/dicom/orientation';
import { presetFor, presetsOf } from '$lib/dicom/presets';
import type { ViewerCell } from '$lib/state/viewerCell.svelte';
import type { PictureFacts } from '$lib/state/viewerFacts';
import { texts } from '$lib/texts';
import type { StackProgress } from '$lib/viewer/types';

/** "slice 151 of 300, 75.0 mm" */
export function spokenSlice({ index, count, positionMm }: PictureFacts): string {
  const { sliceSpoken, position } = texts.viewer;
  return sliceSpoken(index + 1, count, positionMm === null ? null : position(positionMm));
}

/** "CT head, axial, slice 33 of 64, brain window" */
export function alternativeText(cell: ViewerCell): string {
  const { facts } = cell;
  const { image, ofPart, planes, sliceSpoken, alternative } = texts.viewer;
  if (!facts) return texts.image.picture;
  const modality = facts.modality ?? cell.detail.value?.modality ?? 'DICOM';
  const part = cell.instance.value?.bodyPart?.toLowerCase() ?? cell.detail.value?.description ?? null;
  const plane = planeOf(facts.labels);
  return alternative(
    [
      part ? ofPart(modality, part) : image(modality),
      plane && planes[plane],
      sliceSpoken(facts.index + 1, facts.count, null),
      spokenWindow(facts),
    ].filter((one) => one !== null),
  );
}

function spokenWindow({ window, modality }: PictureFacts): string | null {
  const name = window && nameOfWindow(window, modality);
  return name ? texts.viewer.windowNamed(name.toLowerCase()) : null;
}

type NamedWindow = NonNullable<PictureFacts['window']>;

/** The name of a preset, or what the file calls its window. */
export function nameOfWindow(window: NamedWindow, modality: string | null): string | null {
  const preset = window.source === 'preset' ? presetFor(modality, window) : null;
  return preset ? texts.viewer.presets[preset.id] : window.source === 'file' ? window.explanation : null;
}

/** "file: WHOLE", "preset: Lung", "set by you" */
export function describeSource(window: NamedWindow, modality: string | null): string {
  const { windowSources, windowWithSource } = texts.viewer;
  return windowWithSource(windowSources[window.source] ?? window.source, nameOfWindow(window, modality));
}

export interface WindowChoice {
  /** The digit that chooses it. */
  key: string;
  name: string;
  center: number;
  width: number;
  source: 'file' | 'preset';
}

/** What the digits choose: the presets of CT, then the windows of the file. */
export function windowChoices(cell: ViewerCell): WindowChoice[] {
  const modality = cell.detail.value?.modality ?? null;
  const presets = presetsOf(modality).map(({ id, center, width }) => ({
    name: texts.viewer.presets[id],
    center,
    width,
    source: 'preset' as const,
  }));
  const offered = cell.state?.slice?.windows ?? cell.detail.value?.windows ?? [];
  // Some files list the same window again; as a second choice it would say nothing, and both would look chosen.
  const isFirst = (one: (typeof offered)[number], n: number) =>
    offered.findIndex(({ center, width }) => center === one.center && width === one.width) === n;
  const windows = offered.filter(isFirst).map(({ center, width, explanation }, n) => ({
    name: explanation ?? texts.viewer.fileWindow(n + 1),
    center,
    width,
    source: 'file' as const,
  }));
  return [...presets, ...windows].slice(0, 9).map((one, n) => ({ key: String(n + 1), ...one }));
}

/** How much of a stack is here, for the badge; null: all but what failed, which is told by itself. */
export function howMuch(
  { loaded, failed, count }: Pick<StackProgress, 'loaded' | 'failed' | 'count'>,
  isWindowed: boolean,
): 'loading' | 'partly' | 'complete' | null {
  if (loaded + failed < count) return isWindowed ? 'partly' : 'loading';
  return failed === 0 ? 'complete' : null;
}

/** Who it is, in the order in which people are told apart: name, ID, birth date, sex. */
export function patientLine(patient: Patient | null): {
  name: string;
  id: string;
  born: string;
  sex: string;
} {
  const { none } = texts.common;
  return {
    name: patient ? (patient.name ?? texts.common.noPatientName) : '',
    id: patient?.patient_id || none,
    born: formatDay(patient?.birth_date ?? null) ?? none,
    sex: patient?.sex ? (texts.viewer.sexes[patient.sex] ?? patient.sex) : none,
  };
}

/** A key as it is printed. */
export function printKey(key: string): string {
  return texts.tools.keys[key] ?? key.toUpperCase();
}
