/** A phone, or a page at 400 %: what lies beside the pictures elsewhere lies over them here. */
export const NARROW = '(max-width: 640px)';

export const isNarrow = (): boolean => globalThis.matchMedia?.(NARROW).matches ?? false;
