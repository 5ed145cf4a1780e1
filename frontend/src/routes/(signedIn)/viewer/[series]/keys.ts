/** Keys of the viewer: what is pressed is looked up in the table of commands. */
import { preferences } from '$lib/state/preferences.svelte';
import type { ViewerPage } from '$lib/state/viewerPage.svelte';
import { dragByKey } from './dragging';
import { findCommand, isCharacterKey, keyOf } from './commands';
import { windowChoices } from './words';

const ARROWS: Record<string, readonly [x: number, y: number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};
/** Where letters are text. */
const TYPING = 'input:not([type=checkbox]), select, textarea, [contenteditable]';

/** Does what a key stands for. A key that means something else where it was pressed is left alone. */
export function handleKey(event: KeyboardEvent, page: ViewerPage): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const target = event.target instanceof Element ? event.target : null;
  if (target?.closest('dialog')) return;
  if (target?.closest(TYPING)) {
    if (event.key === 'Escape') (target as HTMLElement).blur();
    return;
  }
  if (event.key === ' ' && target?.closest('button, a, summary')) return;
  const arrow = ARROWS[event.key];
  if (event.shiftKey && arrow && dragByKey(page, ...arrow)) return event.preventDefault();
  const key = keyOf(event);
  // Single characters can be switched off (WCAG 2.1.4); so can a digit with Shift, which is one, too.
  if (!preferences.shortcuts && (isCharacterKey(key) || key.startsWith('Shift+'))) return;
  if (runKey(key, event.repeat, page)) event.preventDefault();
}

function runKey(key: string, isRepeated: boolean, page: ViewerPage): boolean {
  const place = /^Shift\+Digit([1-4])$/.exec(key)?.[1];
  if (place) return activate(Number(place) - 1, page);
  const found = findCommand(key, page);
  if (found) {
    if (!isRepeated || found.repeats) found.run(page);
    return true;
  }
  const choice = windowChoices(page.active).find((one) => one.key === key);
  if (choice) page.active.setWindow(choice);
  return choice !== undefined;
}

function activate(place: number, page: ViewerPage): boolean {
  if (place >= page.shown.length) return false;
  page.activate(place);
  document.querySelector<HTMLElement>(`[data-place="${place}"]`)?.focus();
  return true;
}
