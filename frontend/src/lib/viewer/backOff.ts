/** How long to wait before the next try: half a second, then twice as long each time, up to five seconds. */
export function backOffMs(failures: number): number {
  return Math.min(5000, 500 * 2 ** Math.min(failures, 10));
}
