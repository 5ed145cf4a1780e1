import type { HandleClientError } from '@sveltejs/kit';
import { messages } from '$lib/messages';

/** What a page says that cannot be shown. An unknown address is no error worth a line on the console. */
export const handleError: HandleClientError = ({ error, status }) => {
  if (status === 404) return { message: messages.pageNotFound };
  console.error(error);
  return { message: messages.pageBroken };
};
