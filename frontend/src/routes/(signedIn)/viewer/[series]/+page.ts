import { readLink } from '$lib/state/viewerLink';
import { ViewerPage } from '$lib/state/viewerPage.svelte';

/**
 * Asks for the picture before anything is drawn, while it is still found out who is signed in. Runs once for each visit:
 * to an address that changes under it, the page itself attends.
 */
export function load({ params, url, untrack }) {
  performance.clearMarks('viewer:route');
  performance.clearMarks('viewer:preview');
  performance.mark('viewer:route');
  const page = new ViewerPage(matchMedia('(pointer: coarse)').matches);
  untrack(() => page.open(readLink(params.series, url.searchParams)));
  return { page };
}
