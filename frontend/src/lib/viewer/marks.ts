/** Marks for measuring how long a person waits; see `types.ts`. */
export function setMark(name: string): void {
  performance.mark(name);
}
