/** The track of the slice slider: a picture of which slices are here, as a CSS gradient. */
import type { SliceStatus } from '$lib/viewer/types';

const COLOURS: Partial<Record<SliceStatus, string>> = {
  ready: 'oklch(0.62 0.06 215)',
  failed: 'oklch(0.72 0.16 25)',
};
/** More stripes than a screen is high would be lost; a failed slice is never among the lost ones. */
const MOST_STRIPES = 400;

/** `none` while nothing is known. */
export function loadedTrack(statuses: readonly SliceStatus[]): string {
  if (statuses.length === 0) return 'none';
  const runs = runsOf(shorten(statuses));
  const stops = runs.map(({ status, from, to }) => {
    const colour = COLOURS[status] ?? 'transparent';
    return `${colour} ${percent(from)} ${percent(to)}`;
  });
  return `linear-gradient(to bottom, ${stops.join(', ')})`;
}

const percent = (share: number) => `${Number((share * 100).toFixed(2))}%`;

/** For long stacks: stripes that stand for several slices, by the worst of them. */
function shorten(statuses: readonly SliceStatus[]): readonly SliceStatus[] {
  if (statuses.length <= MOST_STRIPES) return statuses;
  return Array.from({ length: MOST_STRIPES }, (_, stripe) => {
    const from = Math.floor((stripe * statuses.length) / MOST_STRIPES);
    const to = Math.floor(((stripe + 1) * statuses.length) / MOST_STRIPES);
    const part = statuses.slice(from, to);
    if (part.includes('failed')) return 'failed';
    return part.every((status) => status === 'ready') ? 'ready' : 'absent';
  });
}

function runsOf(statuses: readonly SliceStatus[]): { status: SliceStatus; from: number; to: number }[] {
  const runs: { status: SliceStatus; from: number; to: number }[] = [];
  statuses.forEach((status, index) => {
    const before = runs.at(-1);
    const to = (index + 1) / statuses.length;
    if (before?.status === status) before.to = to;
    else runs.push({ status, from: index / statuses.length, to });
  });
  return runs;
}
