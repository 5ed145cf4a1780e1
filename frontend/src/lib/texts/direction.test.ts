import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/** Says of a declaration that it means the picture's own left and right, which no language turns round. */
const OF_THE_PICTURE = /\/\* of the picture \*\//;

const SIDED =
  /^(left|right|(margin|padding|border|inset|scroll-(margin|padding))-(left|right)\b.*|border-(top|bottom)-(left|right)-radius)$/;

/** Declarations that mean one side of the page whatever the direction of the language. */
function sidedDeclarations(css: string): string[] {
  return css
    .split(/[;{}]/)
    .filter((declaration) => !OF_THE_PICTURE.test(declaration))
    .map((declaration) => declaration.replace(/\/\*[^]*?\*\//g, '').trim())
    .filter((declaration) => {
      const [, property = '', value = ''] = /^([\w-]+)\s*:\s*([^]*)$/.exec(declaration) ?? [];
      if (SIDED.test(property)) return true;
      if (/^(text-align|float|clear)$/.test(property)) return /\b(left|right)\b/.test(value);
      // Four values go clockwise from the top; the second and the fourth are the sides.
      const sides = value.split(/\s+(?![^(]*\))/);
      return /^(inset|margin|padding)$/.test(property) && sides.length === 4 && sides[1] !== sides[3];
    });
}

function styles(path: string): string {
  const source = readFileSync(path, 'utf8');
  return path.endsWith('.css') ? source : (/<style[^>]*>([^]*)<\/style>/.exec(source)?.[1] ?? '');
}

describe('sidedDeclarations', () => {
  it.each([
    ['a { margin-left: 4px; color: red }', ['margin-left: 4px']],
    ['a { inset: 0 auto 0 0 } b { inset: 0 4px; inset: 0 0 auto }', ['inset: 0 auto 0 0']],
    ['a { padding: 1px calc(1px + 2px) 1px calc(1px + 2px); text-align: right }', ['text-align: right']],
    ['a:hover { /* of the picture */ left: 100%; /* of the picture */ right: 0 }', []],
    ['a { margin-inline-start: 4px; border-end-start-radius: 0; transition: left 1s }', []],
  ])('finds in %s', (css, found) => {
    expect(sidedDeclarations(css)).toEqual(found);
  });
});

describe('styles', () => {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(svelte|css)$/.test(path))
    .map((path) => `src/${path}`);

  it.each(files)('%s turns round with the direction of the language', (path) => {
    expect(sidedDeclarations(styles(path))).toEqual([]);
  });
});
