/** Whether a stack fits into the page's memory. */

/** A quarter of the device's memory, which browsers tell in steps up to 8 GB, and 1 GB where they do not tell. */
function defaultBudget(deviceMemoryGb: number | undefined): number {
  return Math.round((deviceMemoryGb ? deviceMemoryGb / 4 : 1) * 2 ** 30);
}

/** Fractional rescale slopes make four bytes of two; besides, the frames that are being read. */
export function estimateBytes(totalBytes: number, hasFractionalValues: boolean): number {
  return Math.round(totalBytes * (hasFractionalValues ? 2 : 1) * 1.1);
}

/** How many slices are kept where not all fit: half the budget, and at least some on both sides of the current one. */
export function keptSlices(frameBytes: number, budget: number): number {
  return Math.max(5, Math.floor(budget / 2 / Math.max(1, frameBytes)));
}

export function deviceBudget(): number {
  return defaultBudget((navigator as { deviceMemory?: number }).deviceMemory);
}
