/** The open stacks, shared by the cells that show them; and which slice an image of Cornerstone is. */
import { Stack, stackKey, type StackOptions } from './stack';
import type { SeriesChoice } from './types';

interface Entry {
  key: string;
  stack: Promise<Stack>;
  opened: Stack | null;
  leases: number;
  controller: AbortController;
}

/** What others may join; entries that failed or are out of date are not in here any more. */
const entries = new Map<string, Entry>();
const leases = new WeakMap<Promise<Stack>, Entry>();
const places = new Map<string, { stack: Stack; index: number }>();

/** Opens a stack, or joins who has it open already. The promise itself is what `releaseStack` takes. */
export function acquireStack(
  choice: SeriesChoice,
  index: number | null,
  options: StackOptions,
): Promise<Stack> {
  const key = `${stackKey(choice)}${options.isWindowed ? '/windowed' : ''}`;
  const entry = entries.get(key) ?? openEntry(key, choice, index, options);
  entry.leases++;
  // One of its own for each who asks, so that nobody gives back what another holds.
  const lease = entry.stack.then((stack) => stack);
  lease.catch(() => undefined);
  leases.set(lease, entry);
  return lease;
}

/** Gives a stack back, open or still on its way; when nobody holds it any more its pixels are forgotten. */
export function releaseStack(lease: Promise<Stack>): void {
  const entry = leases.get(lease);
  if (!entry) return;
  leases.delete(lease);
  if (--entry.leases > 0) return;
  forget(entry);
  entry.controller.abort();
  if (entry.opened) close(entry.opened);
}

/** Where an image of Cornerstone belongs, as long as a cell shows its stack. */
export function findSlice(imageId: string): { stack: Stack; index: number } | undefined {
  return places.get(imageId);
}

function openEntry(key: string, choice: SeriesChoice, index: number | null, options: StackOptions): Entry {
  const controller = new AbortController();
  const stack = Stack.open(choice, index, options, controller.signal);
  const entry: Entry = { key, stack, opened: null, leases: 0, controller };
  entries.set(key, entry);
  stack.then(
    (opened) => {
      if (controller.signal.aborted) return opened.close();
      entry.opened = opened;
      opened.imageIds.forEach((imageId, i) => places.set(imageId, { stack: opened, index: i }));
      // First of all listeners: who opens the stack again is not to get the old one.
      opened.listen({
        onchange: () => undefined,
        onsignedout: () => undefined,
        onstale: () => forget(entry),
      });
    },
    () => forget(entry),
  );
  return entry;
}

function forget(entry: Entry): void {
  if (entries.get(entry.key) === entry) entries.delete(entry.key);
}

function close(stack: Stack): void {
  for (const imageId of stack.imageIds) if (places.get(imageId)?.stack === stack) places.delete(imageId);
  stack.close();
}
