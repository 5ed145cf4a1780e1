/**
 * Takes a page out of the document and puts it back as it was.
 *
 * The elements live on in memory with all that was typed and chosen, but neither eyes, screen readers, search in
 * the page nor its scripts' queries find anything of a patient meanwhile.
 */
import { announcer } from './announcer.svelte';
import { covers } from './covers';

/** Covers `page`; returns how to show it again. `title` stands in the window's title meanwhile. */
export function coverPage(page: HTMLElement, title: string): () => void {
  const place = page.parentElement;
  const { title: titleBefore } = document;
  const focused = page.contains(document.activeElement) ? (document.activeElement as HTMLElement) : null;
  const scrolled = scrollPositions(page);
  const dialogs = [...page.querySelectorAll<HTMLDialogElement>('dialog:modal')];

  covers.cover();
  announcer.clear();
  page.remove();
  document.title = title;

  return () => {
    // Where the session is over for good the place has left the document itself, and nothing comes back.
    place?.append(page);
    if (!page.isConnected) return;
    if (document.title === title) document.title = titleBefore;
    dialogs.filter((dialog) => dialog.isConnected).forEach(openAgain);
    scrolled.forEach((restore) => restore());
    covers.uncover();
    focused?.focus({ preventScroll: true });
  };
}

/** A modal dialog that left the document is still open, but no longer in front of everything. */
function openAgain(dialog: HTMLDialogElement): void {
  dialog.removeAttribute('open');
  dialog.showModal();
}

function scrollPositions(page: HTMLElement): (() => void)[] {
  return [document.documentElement, ...page.querySelectorAll('*')]
    .filter(({ scrollTop, scrollLeft }) => scrollTop !== 0 || scrollLeft !== 0)
    .map((element) => {
      const { scrollTop, scrollLeft } = element;
      return () => Object.assign(element, { scrollTop, scrollLeft });
    });
}
