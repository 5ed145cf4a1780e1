/**
 * Remembers that a log-out did not reach the server.
 *
 * A script cannot delete the session cookie. Without this note a reload after such a log-out would quietly sign
 * the same person in again. The note gives nobody any right; it only makes the next start finish the log-out.
 */
const KEY = 'imageserver.log-out-unfinished';

export function noteUnfinishedLogOut(isUnfinished: boolean): void {
  try {
    // eslint-disable-next-line no-restricted-globals -- holds no secret, see above
    if (isUnfinished) localStorage.setItem(KEY, '1');
    // eslint-disable-next-line no-restricted-globals -- see above
    else localStorage.removeItem(KEY);
  } catch {
    // Storage may be switched off; then the notice on the page is all there is.
  }
}

export function isLogOutUnfinished(): boolean {
  try {
    // eslint-disable-next-line no-restricted-globals -- see above
    return localStorage.getItem(KEY) !== null;
  } catch {
    return false;
  }
}
