/** The arrangement of a series in words: where a slice stands, what a stack is, which window is in use. */
import type { Slice, Stack, VolumeDetail, Window } from '$lib/api/types';
import { texts } from '$lib/texts';
import { formatNumber, formatUnit } from '$lib/texts/formats';

/** "Slice 33 of 64, ordered by position" */
export function describePosition(index: number, count: number, ordering: string | null): string {
  const { sliceNumber, sliceOf, orderings } = texts.image;
  const where = count > 0 ? sliceOf(index + 1, count) : sliceNumber(index + 1);
  const order = ordering && orderings[ordering];
  return order && count > 1 ? `${where}, ${order}` : where;
}

/** By what the slices are ordered that are stepped through: those of one stack of a localizer by position. */
export function orderingOf(detail: VolumeDetail | null, stack: Stack | null): string | null {
  if (!detail) return null;
  const isOwnOrder = stack !== null && detail.middle?.stack === null && stack.middle?.position_mm != null;
  return isOwnOrder ? 'position' : detail.ordering;
}

/** A length with its unit. */
export function millimetres(value: number | null): string | null {
  return value === null ? null : formatUnit(value, 'millimeter', 1);
}

/** Window width and level as radiology writes them. */
export const describeWindow = ({ center, width }: Pick<Window, 'center' | 'width'>) =>
  texts.image.windowValues(round(width), round(center));

/** The window of a picture, what the file calls it, and where it comes from. */
export function describeWindowInUse(window: Slice['window'], offered: Window[]): string | null {
  if (!window) return null;
  const name = offered.find((one) => one.center === window.center && one.width === window.width)?.explanation;
  const source = texts.image.windowSources[name ? 'file' : window.source];
  return [describeWindow(window), name, source].filter(Boolean).join(' · ');
}

const round = (value: number) =>
  formatNumber(value, { maximumFractionDigits: Math.abs(value) < 10 ? 2 : 0, useGrouping: false });

/** One stack in a few words: what sets it apart, and how many slices it has. */
export function describeStack(stack: Stack): string {
  const name = stack.differs_by ?? texts.image.stackNumber(stack.stack + 1);
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** Places beside a slice that cannot be shown: those the server names, else the ones on either side. */
export function neighboursOf(
  members: Readonly<Record<string, unknown>>,
  index: number | null,
  count: number,
): number[] {
  const named = members['neighbours'];
  if (Array.isArray(named)) return named.map(indexOf).filter((n) => n !== null);
  if (index === null || count === 0) return [];
  return [index - 1, index + 1].filter((n) => n >= 0 && n < count);
}

/** The place that a problem document speaks of as `{index, count, …}`. */
export function placeOf(slice: unknown): { index: number; count: number } | null {
  const [index, count] = [indexOf(slice), numberIn(slice, 'count')];
  return index === null || count === null ? null : { index, count };
}

/** What the server says where the files of one series name several patients (docs/geometry.md). */
export function otherPatientRemark(detail: VolumeDetail | null): string | null {
  return detail?.excluded.find(({ code }) => code === 'other_patient')?.message ?? null;
}

const indexOf = (slice: unknown) => numberIn(slice, 'index');

function numberIn(value: unknown, name: string): number | null {
  const member =
    typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : null;
  return Number.isInteger(member) ? (member as number) : null;
}
