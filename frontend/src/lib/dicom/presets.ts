/** Windows that readers of CT know by name. In HU, so they mean something for CT only. */

export interface Preset {
  id: 'softTissue' | 'lung' | 'bone' | 'brain' | 'mediastinum' | 'liver';
  center: number;
  width: number;
}

/** In the order of their keys, from 1. */
export const CT_PRESETS: readonly Preset[] = [
  { id: 'softTissue', center: 40, width: 400 },
  { id: 'lung', center: -600, width: 1500 },
  { id: 'bone', center: 400, width: 2000 },
  { id: 'brain', center: 40, width: 80 },
  { id: 'mediastinum', center: 50, width: 350 },
  { id: 'liver', center: 60, width: 160 },
];

export const presetsOf = (modality: string | null): readonly Preset[] =>
  modality === 'CT' ? CT_PRESETS : [];

/** The preset that a window is, if any. */
export function presetFor(
  modality: string | null,
  window: { center: number; width: number } | null,
): Preset | null {
  return (
    presetsOf(modality).find(({ center, width }) => center === window?.center && width === window.width) ??
    null
  );
}
