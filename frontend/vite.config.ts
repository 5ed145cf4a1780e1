import { sveltekit } from '@sveltejs/kit/vite';
import { svelteTesting } from '@testing-library/svelte/vite';
import { defineConfig } from 'vitest/config';
import manifest from './package.json' with { type: 'json' };

export default defineConfig({
  plugins: [sveltekit(), svelteTesting()],
  define: { __VERSION__: JSON.stringify(manifest.version) },
  build: { target: 'es2022' },
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
    environment: 'jsdom',
    include: ['src/**/*.test.ts', 'server.test.js'],
    setupFiles: ['src/tests/setup.ts'],
    restoreMocks: true,
    unstubGlobals: true,
  },
});
