import type { ClientInit, HandleClientError } from '@sveltejs/kit';
import { chooseLanguage, texts, useLanguage } from '$lib/texts';

/** Runs before the first page is made, so that every module of the pages finds the texts in their language. */
export const init: ClientInit = () =>
  useLanguage(chooseLanguage(navigator.languages), document.documentElement);

/** What a page says that cannot be shown. An unknown address is no error worth a line on the console. */
export const handleError: HandleClientError = ({ error, status }) => {
  if (status === 404) return { message: texts.missing.notFound };
  console.error(error);
  return { message: texts.missing.broken };
};
