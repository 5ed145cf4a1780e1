/** The arrangement of a series in words: where a slice stands, what a group is, why this one was chosen. */
import type { Remark, Stack, VolumeDetail, Window } from '$lib/api/types';

const ORDERINGS: Record<string, string> = {
  position: 'ordered by position',
  instance_number: 'ordered by instance number',
  frame_number: 'ordered by frame number',
};

const words = (code: string) => code.replaceAll('_', ' ');

/** "slice 33 of 64, ordered by position" */
export function describePosition(index: number, count: number, ordering: string | null): string {
  const where = count > 0 ? `slice ${index + 1} of ${count}` : `slice ${index + 1}`;
  return ordering ? `${where}, ${ORDERINGS[ordering] ?? `ordered by ${words(ordering)}`}` : where;
}

/** Window centre and width as radiology writes them, and where they come from. */
export function describeWindow(window: Window | null, warnings: Remark[]): string {
  if (window) {
    const name = window.explanation ? `${window.explanation}, ` : '';
    return `W ${round(window.width)}  L ${round(window.center)} · ${name}from the file`;
  }
  const isGuessed = warnings.some(({ code }) => code === 'window_guessed');
  return isGuessed ? 'Window guessed from the picture' : '';
}

const round = (value: number) => String(Number(value.toFixed(Math.abs(value) < 10 ? 2 : 0)));

/** One group in a few words: what sets it apart, and how many slices it has. */
export function describeStack(stack: Stack): string {
  const name = stack.differs_by ? words(stack.differs_by) : `group ${stack.stack + 1}`;
  return `${name} · ${stack.count}`;
}

const VERDICTS: Record<string, string> = {
  volume: 'The slices form one volume.',
};

export function explainChoice(detail: VolumeDetail): string[] {
  const { middle, ordering, verdict } = detail;
  const sentences = [VERDICTS[verdict] ?? `Arrangement: ${words(verdict)}.`];
  sentences.push(`They are ${ORDERINGS[ordering] ?? `ordered by ${words(ordering)}`}.`);
  if (middle) sentences.push(`Of ${middle.count} slices the middle one is number ${middle.index + 1}.`);
  return sentences;
}

/** Positions beside a slice that cannot be shown: those the server names, else the ones on either side. */
export function neighboursOf(
  members: Readonly<Record<string, unknown>>,
  index: number | null,
  count: number,
): number[] {
  const named = members['neighbours'];
  if (Array.isArray(named)) {
    const indices = named.map((n: unknown) => (typeof n === 'object' && n && 'index' in n ? n.index : n));
    return indices.filter((n): n is number => Number.isInteger(n));
  }
  if (index === null || count === 0) return [];
  return [index - 1, index + 1].filter((n) => n >= 0 && n < count);
}
