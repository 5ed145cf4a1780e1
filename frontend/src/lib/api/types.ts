import type { Planes } from '$lib/dicom/planes';

/** What the API answers, as in its OpenAPI document. Field names are the API's own. */

export interface TokenAnswer {
  access_token: string;
  token_type: string;
  expires_in: number;
}

export interface RefreshAnswer extends TokenAnswer {
  username: string;
  session_id: string;
}

export interface Me {
  username: string;
  role: string;
  session: { id: string; started: string; expires: string; idle_seconds: number };
}

export interface IndexStatus {
  state: 'building' | 'ready' | 'unavailable';
  seen: number;
  indexed: number;
  refused: number;
  /** Files that are still to be read. */
  pending: number;
  /** About how long that takes; null as long as nobody can know. */
  remaining_seconds: number | null;
}

/** A file of the data directory that is not shown. */
export interface FileProblem {
  /** Relative to the data directory; null for who does not administrate. */
  path: string | null;
  code: string;
  reason: string;
  /** In bytes. */
  size: number | null;
  modified: string | null;
  read_at: string | null;
  sop_instance_uid: string | null;
  /** Where a damaged image has its place. */
  series_instance_uid: string | null;
}

export interface FileProblemList {
  problems: FileProblem[];
  /** Of the code that was asked for. */
  total: number;
  counts: { code: string; meaning: string; count: number }[];
  index: IndexStatus;
}

export interface Volume {
  series_instance_uid: string;
  study_instance_uid: string;
  modality: string | null;
  description: string | null;
  /** YYYY-MM-DD, or whatever the file says where that is no date. */
  study_date: string | null;
  slice_count: number;
  verdict: string;
  is_default: boolean;
  /** Only where it was asked for. */
  patient?: { name: string | null; patient_id: string | null } | null;
}

export interface VolumeList {
  volumes: Volume[];
  total: number;
  index: IndexStatus;
}

export interface Middle {
  stack: number | null;
  index: number;
  count: number;
  sop_instance_uid: string;
  frame_number: number;
  position_mm: number | null;
}

export interface OrientationLabels {
  left: string;
  right: string;
  top: string;
  bottom: string;
}

/** Why a stack cannot be shown in other planes. */
export interface PlanesRefused {
  code: string;
  message: string;
}

export interface Stack {
  stack: number;
  count: number;
  rows: number;
  columns: number;
  row_spacing_mm: number | null;
  column_spacing_mm: number | null;
  slice_spacing_mm: number | null;
  /** As the files say. */
  slice_thickness_mm?: number | null;
  orientation_labels: OrientationLabels | null;
  pixel_aspect_ratio: number | null;
  differs_by: string | null;
  middle: Middle | null;
  /** From (column, row, slice) to the patient (LPS); null where one matrix does not place every slice. */
  affine?: number[][] | null;
  /** What can be cut from it; null where `planes_refused` says why nothing can. */
  planes?: Planes | null;
  planes_refused?: PlanesRefused | null;
}

export interface Window {
  center: number;
  width: number;
  function: string;
  explanation: string | null;
}

/** A bit map that a file lays over its picture (PS3.3 C.9). */
export interface Overlay {
  group: string;
  type: string | null;
  label: string | null;
  description: string | null;
  is_embedded: boolean;
}

export interface Remark {
  code: string;
  message: string;
  sop_instance_uids?: string[];
  /** What was measured; the unit ends each name. */
  numbers?: Record<string, number>;
}

export interface VolumeDetail extends Volume {
  ordering: string;
  /** How the middle slice was chosen, as a sentence. */
  explanation: string;
  middle: Middle | null;
  stacks: Stack[];
  windows: Window[];
  /** Those of the middle slice. */
  overlays: Overlay[];
  pixel_aspect_ratio: number | null;
  excluded: Remark[];
  warnings: Remark[];
}

export interface NameComponents {
  family: string;
  given: string;
  middle: string;
  prefix: string;
  suffix: string;
}

export type NameGroup = 'alphabetic' | 'ideographic' | 'phonetic';

export interface Patient {
  name: string | null;
  reason: string | null;
  raw: string | null;
  name_components: Partial<Record<NameGroup, NameComponents | null>> | null;
  other_names: { name: string | null; count: number }[];
  patient_id: string | null;
  birth_date: string | null;
  sex: string | null;
  series_instance_uid: string;
  warnings: (Remark | string)[];
}

/** A rendered slice: the picture's bytes, and which slice it is. */
export interface Slice {
  picture: Blob;
  index: number;
  count: number;
  /** The series that is shown, also where the server chose it. */
  seriesInstanceUid: string | null;
  sopInstanceUid: string | null;
  frameNumber: number | null;
  /** The stack it belongs to, and where it lies along that stack's normal. */
  stack: number | null;
  positionMm: number | null;
  /** How many overlay planes can be drawn over it. */
  overlays: number;
  /** The window in use; null for tables, colour, and constant images. */
  window: { center: number; width: number; source: string } | null;
}
