/** The open stacks, shared by the cells that show them; and which slice an image of Cornerstone is. */
import { Stack, stackKey, type StackOptions } from './stack';
import type { SeriesChoice } from './types';

interface Entry {
  stack: Promise<Stack>;
  users: number;
  controller: AbortController;
}

const entries = new Map<string, Entry>();
const open = new Map<string, Stack>();
const places = new Map<string, { stack: Stack; index: number }>();

/** Opens a stack, or joins who has it open already. Each call is to be answered by `releaseStack`. */
export function acquireStack(
  choice: SeriesChoice,
  index: number | null,
  options: StackOptions,
): Promise<Stack> {
  const key = keyOf(choice, options.isWindowed);
  let entry = entries.get(key);
  if (!entry) {
    const controller = new AbortController();
    const stack = Stack.open(choice, index, options, controller.signal).then((opened) => {
      if (controller.signal.aborted) {
        opened.close();
        throw new DOMException('The stack was left', 'AbortError');
      }
      open.set(key, opened);
      opened.imageIds.forEach((imageId, i) => places.set(imageId, { stack: opened, index: i }));
      return opened;
    });
    entry = { stack, users: 0, controller };
    entries.set(key, entry);
    stack.catch(() => entries.get(key)?.stack === stack && entries.delete(key));
  }
  entry.users++;
  return entry.stack;
}

export function releaseStack(choice: SeriesChoice, isWindowed: boolean): void {
  const key = keyOf(choice, isWindowed);
  const entry = entries.get(key);
  if (!entry || --entry.users > 0) return;
  entries.delete(key);
  entry.controller.abort();
  const stack = open.get(key);
  if (!stack) return;
  open.delete(key);
  for (const imageId of stack.imageIds) if (places.get(imageId)?.stack === stack) places.delete(imageId);
  stack.close();
}

/** Where an image of Cornerstone belongs, as long as a cell shows its stack. */
export function findSlice(imageId: string): { stack: Stack; index: number } | undefined {
  return places.get(imageId);
}

function keyOf(choice: SeriesChoice, isWindowed: boolean): string {
  return `${stackKey(choice)}${isWindowed ? '/windowed' : ''}`;
}
