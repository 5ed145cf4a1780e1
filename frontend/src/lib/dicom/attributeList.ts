/** A dataset as a flat list of lines: what a browser of attributes shows, searches and copies. */
import type { JsonDataset, JsonElement } from '$lib/api/metadata';

export interface AttributeLine {
  /** Place in the tree, unique: tags and item numbers. */
  path: string;
  /** How deep inside sequences, from 0. */
  depth: number;
  /** "(0008,103E)"; null for an item of a sequence. */
  tag: string | null;
  vr: string;
  name: string | null;
  value: string;
  isPrivate: boolean;
}

/** Bytes of base64 without its padding: four letters for three bytes. */
const byteCount = (base64: string) => Math.floor((base64.replace(/=+$/, '').length * 3) / 4);

export interface Words {
  item: (number: number) => string;
  items: (count: number) => string;
  bytes: (count: number) => string;
  elsewhere: string;
  empty: string;
}

/** All attributes in the order of their tags, those of sequences below them. */
export function listAttributes(
  dataset: JsonDataset,
  names: ReadonlyMap<string, string>,
  words: Words,
  depth = 0,
  above = '',
): AttributeLine[] {
  return Object.keys(dataset)
    .sort()
    .flatMap((tag) => {
      const element = dataset[tag];
      if (!element) return [];
      const path = `${above}/${tag}`;
      const line = {
        path,
        depth,
        tag: `(${tag.slice(0, 4)},${tag.slice(4)})`,
        vr: element.vr,
        name: nameOf(tag, names),
        value: describeValue(element, words),
        isPrivate: Number.parseInt(tag.charAt(3), 16) % 2 === 1,
      };
      return element.vr === 'SQ' ? [line, ...listItems(element, names, words, depth + 1, path)] : [line];
    });
}

function listItems(
  { Value: items = [] }: JsonElement,
  names: ReadonlyMap<string, string>,
  words: Words,
  depth: number,
  above: string,
): AttributeLine[] {
  return items.flatMap((item, index) => {
    const path = `${above}/${index + 1}`;
    const head = { path, depth, tag: null, vr: '', name: words.item(index + 1), value: '', isPrivate: false };
    return [head, ...listAttributes((item ?? {}) as JsonDataset, names, words, depth + 1, path)];
  });
}

/** "Series Description" for "SeriesDescription"; abbreviations stay whole. */
export function nameOf(tag: string, names: ReadonlyMap<string, string>): string | null {
  const keyword =
    names.get(tag) ??
    patternsOf(tag)
      .map((one) => names.get(one))
      .find(Boolean);
  return keyword ? keyword.replace(/([a-z\d])([A-Z])|([A-Z])([A-Z][a-z])/g, '$1$3 $2$4') : null;
}

/** Groups that repeat (PS3.5 7.6) stand in the table once: 60xx3000. */
const patternsOf = (tag: string) => [`${tag.slice(0, 2)}xx${tag.slice(4)}`, `${tag.slice(0, 6)}xx`];

export function describeValue({ vr, Value, InlineBinary, BulkDataURI }: JsonElement, words: Words): string {
  if (vr === 'SQ') return words.items(Value?.length ?? 0);
  if (InlineBinary !== undefined) return words.bytes(byteCount(InlineBinary));
  if (BulkDataURI !== undefined) return words.elsewhere;
  if (!Value || Value.length === 0) return words.empty;
  return Value.map((one) => describeOne(vr, one)).join(' \\ ');
}

function describeOne(vr: string, value: unknown): string {
  if (value === null || value === undefined) return '';
  if (vr === 'PN' && typeof value === 'object') return Object.values(value).filter(Boolean).join(' = ');
  if (vr === 'AT' && typeof value === 'string') return `(${value.slice(0, 4)},${value.slice(4)})`;
  return typeof value === 'object' ? JSON.stringify(value) : String(value as string | number);
}

/** Lines in which every word of the search occurs, and the lines above them that say where they stand. */
export function searchAttributes(lines: AttributeLine[], search: string): AttributeLine[] {
  const wanted = fold(search).split(/\s+/).filter(Boolean);
  if (wanted.length === 0) return lines;
  const found = lines.filter((line) => {
    const digits = line.tag?.replace(/\D/g, '') ?? '';
    const text = fold(
      `${line.tag ?? ''} ${line.tag?.replace(/[(),]/g, '') ?? ''} ${digits} ${line.vr} ${line.name ?? ''} ${line.value}`,
    );
    return line.tag !== null && wanted.every((word) => text.includes(word));
  });
  const kept = new Set(found.flatMap(({ path }) => pathsAbove(path)));
  return lines.filter(({ path }) => kept.has(path));
}

function pathsAbove(path: string): string[] {
  const parts = path.split('/').slice(1);
  return parts.map((_, index) => `/${parts.slice(0, index + 1).join('/')}`);
}

/** Letters without case and accents. */
const fold = (text: string) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
