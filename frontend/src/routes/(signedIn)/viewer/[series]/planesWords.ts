/** A plane in words. */
import type { PlaneName } from '$lib/dicom/planes';
import type { PlanesView } from '$lib/state/planesView.svelte';
import { texts } from '$lib/texts';

/** "CT head, coronal plane, 10.0 mm slab, MIP" */
export function describePlane(view: PlanesView, name: PlaneName): string {
  const { alternative, pane, names, slabOf, projections } = texts.planes;
  const { modality = null, description = null } = view.cell.detail.value ?? {};
  const part = view.cell.instance.value?.bodyPart?.toLowerCase() ?? description;
  return alternative(
    [
      part ? texts.viewer.ofPart(modality ?? 'DICOM', part) : texts.viewer.image(modality ?? 'DICOM'),
      pane(names[name]).toLowerCase(),
      view.slabMm > 0 ? slabOf(view.slabMm) : null,
      view.slabMm > 0 ? projections[view.projection] : null,
    ].filter((one) => one !== null),
  );
}
