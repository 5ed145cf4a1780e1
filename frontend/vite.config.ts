import { sveltekit } from '@sveltejs/kit/vite';
import { defineConfig } from 'vitest/config';
import manifest from './package.json' with { type: 'json' };

export default defineConfig({
  plugins: [sveltekit()],
  define: { __VERSION__: JSON.stringify(manifest.version) },
  build: { target: 'es2022' },
  // Tests run the code that browsers run, not Svelte's for servers.
  ...(process.env.VITEST ? { resolve: { conditions: ['browser'] } } : {}),
  server: {
    proxy: {
      // `npm run dev` asks server.js's question about the API at the same address as in production.
      '/config.json': {
        target: 'http://127.0.0.1',
        bypass: (_request, response) => {
          response?.setHeader('Content-Type', 'application/json');
          response?.end(
            JSON.stringify({
              apiUrl: process.env.IMAGESERVER_API_URL ?? '',
              apiPort: Number(process.env.IMAGESERVER_PORT ?? 8000),
            }),
          );
          return false;
        },
      },
    },
  },
  test: {
    // Files that need a document say so in their first line.
    environment: 'node',
    include: ['src/**/*.test.ts', 'server.test.js'],
    restoreMocks: true,
    unstubGlobals: true,
  },
});
