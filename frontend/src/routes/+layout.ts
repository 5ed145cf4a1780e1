// The pages are files; everything on them comes from the API, asked by the browser.
export const ssr = false;
export const prerender = false;
