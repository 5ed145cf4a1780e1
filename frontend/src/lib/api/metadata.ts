/** The attributes of an instance as its file writes them (DICOM JSON Model, PS3.18 F), and their names. */
import { requestJson } from './client';

export interface JsonElement {
  vr: string;
  Value?: unknown[];
  InlineBinary?: string;
  BulkDataURI?: string;
}

/** By tag, as eight hexadecimal digits. */
export type JsonDataset = Record<string, JsonElement>;

export interface InstanceAddress {
  study: string;
  series: string;
  instance: string;
}

/** All attributes of one instance, without its pixels. */
export async function readMetadata(address: InstanceAddress, signal?: AbortSignal): Promise<JsonDataset> {
  const parts = ['studies', address.study, 'series', address.series, 'instances', address.instance];
  const path = `/dicomweb/${parts.map(encodeURIComponent).join('/')}/metadata`;
  const headers = { Accept: 'application/dicom+json' };
  const [dataset] = await requestJson<JsonDataset[]>(path, { headers, signal });
  return dataset ?? {};
}

let names: Promise<Map<string, string>> | null = null;

/** Keywords of PS3.6 by tag; `x` stands where any digit fits. Read once, when somebody wants to see them. */
export function readAttributeNames(): Promise<Map<string, string>> {
  names ??= readTable().catch((error: unknown) => {
    names = null;
    throw error;
  });
  return names;
}

async function readTable(): Promise<Map<string, string>> {
  const response = await fetch('/attributes.txt');
  if (!response.ok) throw new Error(`attributes.txt: ${response.status}`);
  const lines = (await response.text()).trimEnd().split('\n');
  return new Map(lines.map((line) => [line.slice(0, 8), line.slice(9)]));
}
