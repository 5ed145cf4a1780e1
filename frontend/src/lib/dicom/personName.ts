/** Writing a name group of DICOM (PS3.5 6.2.1.2) as people read it; the same rule as the server's. */
import type { NameComponents } from '$lib/api/types';

/** "Family, Prefix Given Middle, Suffix" without the empty parts. */
export function displayName(group: NameComponents | null | undefined): string {
  if (!group) return '';
  const given = [group.prefix, group.given, group.middle].filter(Boolean).join(' ');
  return [group.family, given, group.suffix].filter(Boolean).join(', ');
}
