/** Shift and a digit choose a plane; all other keys stand in the table of commands, which acts on the active pane. */
import { isNarrow } from '$lib/state/narrow';
import { preferences } from '$lib/state/preferences.svelte';
import { PLANE_NAMES, type PlanesView } from '$lib/state/planesView.svelte';
import { keyOf } from './commands';

export function handlePlanesKey(event: KeyboardEvent, view: PlanesView): void {
  if (event.ctrlKey || event.metaKey || event.altKey || !view.planes || !preferences.shortcuts) return;
  // On a series in the list they say where to show it.
  const target = event.target instanceof Element ? event.target : null;
  if (target?.closest('input, select, textarea, dialog, nav')) return;
  const place = /^Shift\+Digit([1-3])$/.exec(keyOf(event))?.[1];
  const name = place && PLANE_NAMES[Number(place) - 1];
  if (!name) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  view.active = name;
  if (isNarrow()) view.makeLarge(name);
  document.querySelector<HTMLElement>(`[data-plane="${name}"]`)?.focus();
}
