/**
 * The text of the search, kept with the entry of the browser's history rather than in the address: it survives a
 * reload and the back button, but is in no address, no list of visited pages and no log.
 *
 * It belongs to who typed it. Nobody else who logs in in this tab finds it in the box.
 */
export interface KeptText {
  text: string;
  username: string;
}

/** Where SvelteKit keeps `page.state`; it does not hand it out again after a reload. */
const STATES = 'sveltekit:states';

/** Of the entry on which the page was loaded; read while this file is loaded: SvelteKit replaces the entry when the first page is shown. */
let atStart: unknown = typeof history === 'undefined' ? null : history.state?.[STATES]?.studySearch;

/** The text that an entry of the history holds for `username`. */
export function readText(kept: unknown, username: string | null): string {
  const { text, username: owner } = (kept ?? {}) as Partial<KeptText>;
  return typeof text === 'string' && username !== null && owner === username ? text : '';
}

/** The text of the entry of the history that is shown. */
export function takeText(username: string | null): string {
  const found = readText(atStart ?? history.state?.[STATES]?.studySearch, username);
  atStart = null;
  return found;
}

export function keepText(text: string, username: string | null): App.PageState {
  return text && username !== null ? { studySearch: { text, username } } : {};
}
