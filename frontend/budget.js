/**
 * What each page makes a browser load, in kB of script after gzip, against a budget: `npm run budget`, after a build.
 *
 * Counted is what a page imports statically, however it is cut into files; and of the viewer what comes on top of its
 * page. Workers and the decoders of compressed frames are fetched only when a frame needs them, and are not counted.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

/** In kB (1,000 bytes). The page around the viewer has bars, panels and dialogs that no list has. */
export const BUDGET = { page: 120, viewerPage: 150, viewer: 1000 };

const KIT = new URL('./.svelte-kit/', import.meta.url);
const CLIENT = new URL('output/client/', KIT);
const START = 'node_modules/@sveltejs/kit/src/runtime/client/entry.js';
const APP = '.svelte-kit/generated/client-optimized/app.js';
const NODE = '.svelte-kit/generated/client-optimized/nodes/';
const VIEWER_PAGE = '/(signedIn)/viewer/[series]';
/** What the viewer's page loads at once: the small part that fetches, and Cornerstone. */
const VIEWER = ['src/lib/viewer/index.ts', 'src/lib/viewer/cornerstoneViewer.ts'];

/** @typedef {Record<string, { file: string, imports?: string[], dynamicImports?: string[] }>} Manifest */

/**
 * Everything that some modules import, themselves included.
 *
 * @param {Manifest} manifest
 * @param {string[]} names
 * @returns {Set<string>} Keys of the manifest.
 */
export function withImports(manifest, names) {
  const found = new Set(names);
  for (const name of found) {
    const entry = manifest[name];
    if (!entry) throw new Error(`The build has no ${name}.`);
    for (const imported of entry.imports ?? []) found.add(imported);
  }
  return found;
}

/**
 * The pages and the modules that each consists of.
 *
 * @param {string} app The source of SvelteKit's list of routes.
 * @returns {Map<string, string[]>}
 */
export function readRoutes(app) {
  const rows = app.matchAll(/^\s*"(\/[^"]*)": \[(~?\d+)(?:,\[([\d,]*)\])?/gm);
  return new Map(
    [...rows].map(([, route = '', leaf = '', layouts = '']) => {
      const nodes = ['0', ...layouts.split(','), leaf.replace('~', '')].filter(Boolean);
      return [route, [START, APP, ...nodes.map((node) => `${NODE}${node}.js`)]];
    }),
  );
}

/**
 * @param {Manifest} manifest
 * @param {Iterable<string>} names
 */
function gzipKilobytes(manifest, names) {
  const files = new Set([...names].map((name) => manifest[name]?.file ?? ''));
  let bytes = 0;
  for (const file of files) {
    if (file.endsWith('.js')) bytes += gzipSync(readFileSync(new URL(file, CLIENT))).length;
  }
  return bytes / 1000;
}

/** What was built: kB of each page, and what the viewer adds to its own. */
export function measureBuild() {
  const path = new URL('.vite/manifest.json', CLIENT);
  if (!existsSync(path)) throw new Error('Nothing is built: npm run build.');
  /** @type {Manifest} */
  const manifest = JSON.parse(readFileSync(path, 'utf8'));
  const routes = readRoutes(readFileSync(new URL('generated/client-optimized/app.js', KIT), 'utf8'));
  const pages = new Map(
    [...routes].map(([route, names]) => [route, gzipKilobytes(manifest, withImports(manifest, names))]),
  );
  const onPage = withImports(manifest, routes.get(VIEWER_PAGE) ?? []);
  const viewer = [...withImports(manifest, VIEWER)].filter((name) => !onPage.has(name));
  return { pages, viewer: gzipKilobytes(manifest, viewer) };
}

/** Prints the table; the exit code is 1 where something is over the budget. */
function main() {
  const { pages, viewer } = measureBuild();
  const rows = [...pages].map(([route, size]) => ({
    name: route,
    size,
    most: route === VIEWER_PAGE ? BUDGET.viewerPage : BUDGET.page,
  }));
  rows.push({ name: 'viewer module', size: viewer, most: BUDGET.viewer });
  for (const { name, size, most } of rows) {
    const verdict = size <= most ? 'met' : 'OVER';
    console.log(`${name.padEnd(32)}${size.toFixed(1).padStart(8)} kB  budget ${most} ${verdict}`);
  }
  process.exitCode = rows.every(({ size, most }) => size <= most) ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
