import { error, redirect } from '@sveltejs/kit';
import { explainError } from '$lib/messages';
import { logInAddress } from '$lib/safeNext';
import { session } from '$lib/state/session.svelte';

/** The guard: whatever lies below may assume that somebody is signed in. */
export async function load({ url }) {
  try {
    await session.start();
  } catch (reason) {
    const { text, hint } = explainError(reason);
    error(503, { message: text, ...(hint ? { hint } : {}) });
  }
  if (session.phase !== 'signed-in' && session.phase !== 'interrupted')
    redirect(307, session.loggedOut ? '/login' : logInAddress(url));
}
