/** One study looked at without leaving the list: what it holds, and the middle slice of its main series. */
import { readPatient } from '$lib/api/patient';
import { readSlice } from '$lib/api/slice';
import { readStudy, type StudyDetail } from '$lib/api/studies';
import type { NameGroup, Patient, Slice } from '$lib/api/types';
import { readVolume } from '$lib/api/volumes';
import { displayName } from '$lib/dicom/personName';
import { Latest } from './latest.svelte';

/** Who walks through the list with the arrows does not want each study on the way. */
const SETTLE_MS = 150;

const GROUPS: readonly NameGroup[] = ['alphabetic', 'ideographic', 'phonetic'];

export interface PreviewPicture {
  url: string;
  slice: Slice;
  /** Height of a pixel divided by its width. */
  pixelAspectRatio: number;
}

export class StudyPreview {
  readonly detail = new Latest<StudyDetail>();
  readonly picture = new Latest<PreviewPicture>(({ url }) => URL.revokeObjectURL(url));
  readonly #patient = new Latest<Patient>();
  #uid: string | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** The name in its other scripts. */
  get writings(): string[] {
    const patient = this.#patient.value;
    return GROUPS.map((group) => displayName(patient?.name_components?.[group])).filter(
      (text) => text && text !== patient?.name,
    );
  }

  /** Shows another study, at once the first time. Null: none. */
  show(studyInstanceUid: string | null): void {
    if (studyInstanceUid === this.#uid) return;
    const isFirst = this.#uid === null;
    this.#uid = studyInstanceUid;
    clearTimeout(this.#timer);
    // Nothing of one patient stays beside the name of another.
    this.detail.clear();
    this.picture.clear();
    this.#patient.clear();
    if (studyInstanceUid === null) return;
    this.#timer = setTimeout(() => void this.#load(studyInstanceUid), isFirst ? 0 : SETTLE_MS);
  }

  async retry(): Promise<void> {
    if (this.#uid !== null) await this.#load(this.#uid);
  }

  async #load(uid: string): Promise<void> {
    await this.detail.ask((signal) => readStudy(uid, signal));
    const series = this.detail.value?.series_instance_uid;
    if (this.#uid !== uid || !series) return;
    await Promise.all([
      this.picture.ask((signal) => readPicture(series, signal)),
      this.#patient.ask((signal) => readPatient(series, signal)),
    ]);
  }
}

async function readPicture(series: string, signal: AbortSignal): Promise<PreviewPicture> {
  const [slice, volume] = await Promise.all([readSlice({ series }, signal), readVolume(series, signal)]);
  const url = URL.createObjectURL(slice.picture);
  return { url, slice, pixelAspectRatio: volume.pixel_aspect_ratio ?? 1 };
}
