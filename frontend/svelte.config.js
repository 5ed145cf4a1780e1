import adapter from '@sveltejs/adapter-static';
import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';

/** A pure single page application: one HTML page, and the build compressed once instead of at each request. */
export default {
  preprocess: vitePreprocess(),
  kit: {
    adapter: adapter({ fallback: 'index.html', precompress: true, strict: true }),
    // Absolute paths: the one page is served for addresses of any depth.
    paths: { relative: false },
    output: { preloadStrategy: 'modulepreload' },
  },
};
