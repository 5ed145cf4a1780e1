/** The texts of the pages, in the language of the page. */
import { en, type Texts } from './en';

export const texts: Texts = en;
