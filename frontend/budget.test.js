import { describe, expect, it } from 'vitest';
import { readRoutes, withImports } from './budget.js';

describe('withImports', () => {
  const manifest = {
    page: { file: 'a.js', imports: ['shared', 'other'], dynamicImports: ['late'] },
    shared: { file: 'b.js', imports: ['page'] },
    other: { file: 'c.js' },
    late: { file: 'd.js' },
  };

  it('follows static imports, in circles too, and no dynamic ones', () => {
    expect([...withImports(manifest, ['page'])]).toEqual(['page', 'shared', 'other']);
  });

  it('refuses what was not built, so that nothing is counted as nothing', () => {
    expect(() => withImports(manifest, ['gone'])).toThrow('The build has no gone.');
  });
});

describe('readRoutes', () => {
  it('finds the layouts and the page of each route', () => {
    const routes = readRoutes(`
      export const dictionary = {
        "/": [3],
        "/(signedIn)/viewer/[series]": [7,[2,5]],
        "/server": [~4,[2]]
      };`);
    const nodes = (/** @type {string} */ route) =>
      (routes.get(route) ?? []).slice(2).map((name) => /(\d+)\.js$/.exec(name)?.[1]);
    expect([...routes.keys()]).toEqual(['/', '/(signedIn)/viewer/[series]', '/server']);
    expect(nodes('/')).toEqual(['0', '3']);
    expect(nodes('/(signedIn)/viewer/[series]')).toEqual(['0', '2', '5', '7']);
    expect(nodes('/server')).toEqual(['0', '2', '4']);
  });
});
