/** Keys of the planes: as in the table of commands, for the pane that is active. They are asked before those. */
import { preferences } from '$lib/state/preferences.svelte';
import { PLANE_NAMES, type PlanesView } from '$lib/state/planesView.svelte';
import { PROJECTIONS } from '$lib/dicom/planes';
import { isCharacterKey, keyOf } from './commands';

const ELSEWHERE = 'input, select, textarea, [contenteditable], dialog, [data-keeps-keys]';
const SLAB_STEP_MM = 1;

export function handlePlanesKey(event: KeyboardEvent, view: PlanesView): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !view.planes) return;
  const target = event.target instanceof Element ? event.target : null;
  // The list of series has arrows of its own.
  if (target?.closest(ELSEWHERE) || target?.closest('nav')) return;
  const key = keyOf(event);
  if (!preferences.shortcuts && (isCharacterKey(key) || key.startsWith('Shift+'))) return;
  const act = actionOf(key, view);
  if (!act) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  act();
}

function actionOf(key: string, view: PlanesView): (() => void) | null {
  const name = view.active;
  const count = view.plane(name)?.count ?? 0;
  const zoom = (factor: number) => () => view.setPane(name, { zoom: view.pane(name).zoom * factor });
  switch (key) {
    case 'ArrowUp':
    case 'ArrowLeft':
      return () => view.step(name, -1);
    case 'ArrowDown':
    case 'ArrowRight':
      return () => view.step(name, 1);
    case 'PageUp':
      return () => view.step(name, -10);
    case 'PageDown':
      return () => view.step(name, 10);
    case 'Home':
      return () => view.goTo(name, 0);
    case 'End':
      return () => view.goTo(name, count - 1);
    case '+':
      return zoom(1.25);
    case '-':
      return zoom(0.8);
    case 'f':
      return () => view.fit(name);
    case 'Backspace':
      return () => view.reset();
    case '[':
      return () => view.setSlab(view.slabMm - SLAB_STEP_MM);
    case ']':
      return () => view.setSlab(view.slabMm + SLAB_STEP_MM);
    case '\\':
      return () => (view.projection = nextProjection(view));
    // What the planes do not have must not act on a picture that is not there.
    case 'r':
    case 'h':
    case 'v':
    case '0':
    case '=':
    case ' ':
      return () => {};
    default: {
      const place = /^Shift\+Digit([1-3])$/.exec(key)?.[1];
      const chosen = place && PLANE_NAMES[Number(place) - 1];
      return chosen ? () => focusPane(chosen, view) : null;
    }
  }
}

function nextProjection({ projection }: PlanesView) {
  return PROJECTIONS[(PROJECTIONS.indexOf(projection) + 1) % PROJECTIONS.length] ?? 'average';
}

function focusPane(name: (typeof PLANE_NAMES)[number], view: PlanesView): void {
  view.active = name;
  if (matchMedia('(max-width: 640px)').matches) view.makeLarge(name);
  document.querySelector<HTMLElement>(`[data-plane="${name}"]`)?.focus();
}
