import { sveltekit } from '@sveltejs/kit/vite';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import manifest from './package.json' with { type: 'json' };

/** vtk.js brings a writer of XML files, which nothing here writes; without it the viewer is 75 kB (gzip) smaller. */
const withoutXmlBuilder: Plugin = {
  name: 'without-xmlbuilder2',
  enforce: 'pre',
  resolveId: (id) => (id === 'xmlbuilder2' ? '\0xmlbuilder2' : null),
  load: (id) => (id === '\0xmlbuilder2' ? 'export const create = () => undefined;' : null),
};

const DECODERS = 'node_modules/@cornerstonejs/dicom-image-loader/dist/esm/shared/decoders';

export default defineConfig({
  plugins: [withoutXmlBuilder, sveltekit()],
  define: { __VERSION__: JSON.stringify(manifest.version) },
  build: { target: 'es2022' },
  worker: { format: 'es' },
  // For `vite dev`: what Cornerstone imports is bundled beforehand, but for what finds its files beside itself.
  optimizeDeps: {
    exclude: ['@cornerstonejs/dicom-image-loader'],
    include: [
      '@cornerstonejs/core',
      '@cornerstonejs/metadata',
      'dicom-parser',
      'pako',
      'comlink',
      '@cornerstonejs/jpeg-lossless-decoder-js',
      '@cornerstonejs/codec-charls/decodewasmjs',
      '@cornerstonejs/codec-libjpeg-turbo-8bit/decodewasmjs',
      '@cornerstonejs/codec-openjpeg/decodewasmjs',
      '@cornerstonejs/codec-openjph/wasmjs',
      '@cornerstonejs/codec-libjxl/decodewasmjs',
    ],
  },
  // Tests run the code that browsers run, not Svelte's for servers.
  resolve: {
    ...(process.env.VITEST ? { conditions: ['browser'] } : {}),
    alias: { $codecs: fileURLToPath(new URL(DECODERS, import.meta.url)) },
  },
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
    include: ['src/**/*.test.ts', '*.test.js'],
    // Only so that a test that hangs ends: on a busy machine any of them may have to wait for its turn.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    restoreMocks: true,
    unstubGlobals: true,
  },
});
