/** What commands do beyond the state of the page: the clipboard, and words for those who do not see the picture. */
import { tick } from 'svelte';
import { announcer } from '$lib/state/announcer.svelte';
import type { ViewerPage } from '$lib/state/viewerPage.svelte';
import { texts } from '$lib/texts';

export function say(what: keyof (typeof texts)['viewer']['said']): void {
  const { said } = texts.viewer;
  announcer.say(said[what]);
}

/** Back to the picture, where keys act: after a click the pointer needs no focus of its own. */
export async function focusPicture(page: ViewerPage): Promise<void> {
  await tick(); // it may be under something that closes just now
  document.querySelector<HTMLElement>(`[data-place="${page.activeIndex}"]`)?.focus({ preventScroll: true });
}

export async function copyLink(page: ViewerPage): Promise<void> {
  const url = new URL(page.address, location.origin);
  page.said = (await copyText(url.href)) ? 'linkCopied' : 'notCopied';
}

/** False where the browser does not let the page write to the clipboard. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

export function playOrPause({ active }: ViewerPage): void {
  const { engine, state } = active;
  if (state?.isPlaying) engine?.pause();
  else engine?.play(active.rate ?? active.instance.value?.frameRate ?? undefined);
}
