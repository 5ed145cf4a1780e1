/** Lookup tables as Modality LUT and VOI LUT sequences carry them (PS3.3 C.11.1.1.1, C.11.2.1.1). */
import type { DicomDataset, DicomElement } from '$lib/api/frames';
import { items, numbers } from './dataset';

const DESCRIPTOR = '00283002';
const DATA = '00283006';

export interface LookupTable {
  /** The input value that the first entry is for. */
  first: number;
  entries: Uint16Array;
  /** Of the entries. */
  bits: number;
}

/** The table of an item; null where there is no usable one. `isSigned`: whether inputs can be negative. */
export function readLookupTable(item: DicomDataset | undefined, isSigned: boolean): LookupTable | null {
  const [rawCount, rawFirst, bits, ...more] = numbers(item, DESCRIPTOR);
  if (rawCount === undefined || rawFirst === undefined || bits === undefined || more.length) return null;
  if (!(bits >= 1 && bits <= 16)) return null;
  const count = rawCount & 0xffff || 65536;
  const first = isSigned && rawFirst > 32767 ? rawFirst - 65536 : rawFirst;
  const found = readEntries(item?.[DATA], count);
  return found && { first, entries: found.entries, bits: bitsOf(found.entries, found.width, bits) };
}

/** The data of tables that were not sent along: those of all Modality LUT and VOI LUT sequences of a data set. */
export function tablesToFetch(dataset: DicomDataset): DicomElement[] {
  const groups = ['52009229', '52009230'].flatMap((tag) => items(dataset, tag));
  const places = [dataset, ...groups.flatMap((group) => items(group, '00289132'))];
  return places
    .flatMap((place) => [...items(place, '00283000'), ...items(place, '00283010')])
    .map((item) => item[DATA])
    .filter((element) => element?.BulkDataURI !== undefined && !element.bytes)
    .filter((element) => element !== undefined);
}

/** Values below the first or beyond the last entry take that entry. */
export function lookUp(table: LookupTable, value: number): number {
  const place = Math.floor(value) - table.first;
  const last = table.entries.length - 1;
  return table.entries[place > 0 ? Math.min(place, last) : 0] ?? 0;
}

/** Bits that the entries contradict are not believed; one beyond the end is a slip of rounding. */
function bitsOf(entries: Uint16Array, width: number, declared: number): number {
  const bits = Math.min(declared, 8 * width);
  const highest = entries.reduce((most, entry) => Math.max(most, entry), 0);
  return highest > 2 ** bits ? 32 - Math.clz32(highest) : bits;
}

function readEntries(
  element: DicomElement | undefined,
  count: number,
): { entries: Uint16Array; width: 1 | 2 } | null {
  const words = readWords(element);
  const least = count - Math.floor(count / 100);
  const length = 2 * words.length;
  const width = length >= 2 * least ? 2 : length >= least && length <= count + 1 ? 1 : null;
  if (width === null) return null;
  const found = width === 2 ? words : Uint16Array.from(new Uint8Array(words.buffer, 0, length));
  const entries = new Uint16Array(count).fill(found[Math.min(count, found.length) - 1] ?? 0);
  entries.set(found.subarray(0, count));
  return { entries, width };
}

function readWords(element: DicomElement | undefined): Uint16Array<ArrayBuffer> {
  if (element?.Value) return Uint16Array.from(element.Value, Number);
  const bytes = element?.InlineBinary
    ? Uint8Array.from(atob(element.InlineBinary), (character) => character.charCodeAt(0))
    : (element?.bytes ?? new Uint8Array());
  const padded = new Uint8Array(bytes.length + (bytes.length % 2));
  padded.set(bytes);
  return new Uint16Array(padded.buffer);
}
