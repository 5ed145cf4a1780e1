import { redirect } from '@sveltejs/kit';
import { safeNext } from '$lib/safeNext';
import { session } from '$lib/state/session.svelte';

/** Who is signed in has nothing to do here. A server that cannot be asked is the page's to tell. */
export async function load({ url }) {
  let startError: unknown = null;
  try {
    await session.start();
  } catch (error) {
    startError = error;
  }
  if (session.phase === 'signed-in') redirect(307, safeNext(url.searchParams.get('next'), url.origin));
  return { startError };
}
