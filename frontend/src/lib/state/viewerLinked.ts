/** Which slice of another cell lies where the one of the active cell lies, in mm along their common normal. */

export interface Line {
  frameOfReferenceUid: string | null;
  /** Row cosines, then column cosines (PS3.3 C.7.6.2.1.1). */
  orientation: readonly number[] | null;
  /** Of each slice in order, along the stack's own normal; null where it has none. */
  positionsMm: readonly (number | null)[];
}

export type NotLinked = 'no-positions' | 'other-frame' | 'other-direction';

/** Slices whose normals differ by more than this do not lie in the same planes (cosine of about 3°). */
const SAME_DIRECTION = 0.9986;

/** Why two cells cannot be scrolled together; null: they can. */
export function whyNotLinked(one: Line, other: Line): NotLinked | null {
  if (![one, other].every(({ positionsMm }) => positionsMm.some((place) => place !== null)))
    return 'no-positions';
  if (!one.frameOfReferenceUid || one.frameOfReferenceUid !== other.frameOfReferenceUid) return 'other-frame';
  const cosine = cosineBetween(one, other);
  return cosine === null || Math.abs(cosine) < SAME_DIRECTION ? 'other-direction' : null;
}

/** The slice of `other` that lies nearest to slice `index` of `one`, or null where they cannot be compared. */
export function nearestSlice(one: Line, index: number, other: Line): number | null {
  const place = one.positionsMm[index] ?? null;
  if (place === null || whyNotLinked(one, other)) return null;
  const wanted = place * Math.sign(cosineBetween(one, other) ?? 1);
  let nearest: number | null = null;
  let distance = Infinity;
  other.positionsMm.forEach((position, at) => {
    if (position === null || Math.abs(position - wanted) >= distance) return;
    distance = Math.abs(position - wanted);
    nearest = at;
  });
  return nearest;
}

function cosineBetween(one: Line, other: Line): number | null {
  const [a, b] = [normalOf(one.orientation), normalOf(other.orientation)];
  return a && b && a.reduce((sum, value, axis) => sum + value * (b[axis] ?? 0), 0);
}

function normalOf(cosines: readonly number[] | null): [number, number, number] | null {
  if (cosines?.length !== 6) return null;
  const [a, b, c, d, e, f] = cosines as [number, number, number, number, number, number];
  return [b * f - c * e, c * d - a * f, a * e - b * d];
}
