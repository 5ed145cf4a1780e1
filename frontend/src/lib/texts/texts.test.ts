import { readdirSync, readFileSync } from 'node:fs';
import { parse, type AST } from 'svelte/compiler';
import { describe, expect, it } from 'vitest';

/** Attributes and properties of components that a person reads or hears. */
const READ_BY_PEOPLE =
  /^(aria-(label|description|valuetext|roledescription|placeholder)|alt|title|placeholder|label|hint|text)$/;
/** Symbols of units and keys, which are the same in every language. */
const SAME_EVERYWHERE = new Set(['mm', '(F2)', '(Del)', '(Ctrl+Z)', '(Ctrl+Shift+Z)']);

type Node = { type: string; start: number; end: number } & Record<string, unknown>;

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';

/** The literal words that an expression may become: not those it compares with or passes on to a function. */
function wordsOf(expression: unknown): string[] {
  if (!isNode(expression)) return [];
  switch (expression.type) {
    case 'Literal':
      return typeof expression['value'] === 'string' ? [expression['value']] : [];
    case 'TemplateLiteral':
      return [
        ...(expression['quasis'] as { value: { raw: string } }[]).map(({ value }) => value.raw),
        ...(expression['expressions'] as unknown[]).flatMap(wordsOf),
      ];
    case 'ConditionalExpression':
      return [expression['consequent'], expression['alternate']].flatMap(wordsOf);
    case 'LogicalExpression':
    case 'BinaryExpression':
      return /^(\|\||&&|\?\?|\+)$/.test(String(expression['operator']))
        ? [expression['left'], expression['right']].flatMap(wordsOf)
        : [];
    case 'ArrayExpression':
      return (expression['elements'] as unknown[]).flatMap(wordsOf);
    case 'ObjectExpression':
      return (expression['properties'] as Node[])
        .filter(({ key }) => isNode(key) && READ_BY_PEOPLE.test(String(key['name'])))
        .flatMap(({ value }) => wordsOf(value));
    default:
      return [];
  }
}

/** What the markup of a component says in words of its own. */
function literalTexts(source: string): string[] {
  const found: string[] = [];
  const visit = (node: unknown, isText: boolean): void => {
    if (Array.isArray(node)) return node.forEach((child) => visit(child, isText));
    if (!isNode(node)) return;
    if (node.type === 'Text') found.push(...(isText ? [String(node['data'])] : []));
    else if (node.type === 'ExpressionTag') found.push(...(isText ? wordsOf(node['expression']) : []));
    else if (node.type === 'Attribute') {
      const name = String(node['name']);
      // An object such as `notice={{ text: … }}` has readable members whatever the attribute is called.
      for (const value of [node['value']].flat()) {
        if (READ_BY_PEOPLE.test(name)) visit(value, true);
        else if (isNode(value) && value.type === 'ExpressionTag' && isNode(value['expression']))
          if (value['expression'].type === 'ObjectExpression') found.push(...wordsOf(value['expression']));
      }
    } else {
      for (const key of ['attributes', 'fragment', 'nodes', 'consequent', 'alternate', 'body', 'fallback'])
        visit(node[key], key !== 'attributes');
      for (const key of ['pending', 'then', 'catch']) visit(node[key], true);
    }
  };
  const { fragment } = parse(source, { modern: true }) as AST.Root;
  visit(fragment, true);
  return found
    .map((text) => text.replace(/&\w+;/g, '').trim())
    .filter((text) => /\p{L}/u.test(text) && !SAME_EVERYWHERE.has(text));
}

describe('literalTexts', () => {
  it.each([
    ['<p>Hello</p>', ['Hello']],
    [
      '{#if a}<p>One</p>{:else if b}Two{:else}{c ? "Three" : `Four ${d}`}{/if}',
      ['One', 'Two', 'Three', 'Four'],
    ],
    ['<img alt="A picture" title={a ?? "None"} class="wide" />', ['A picture', 'None']],
    ['<Field label="User" name="user" /><Notice notice={{ kind: "info", text: "Hm" }} />', ['User', 'Hm']],
    ['{#each a as b}<li>{b === "x" ? texts.a : 1} · 12</li>{:else}Nothing{/each}', ['Nothing']],
    ['{#snippet row()}<td>Cell</td>{/snippet}{#key a}Key{/key}', ['Cell', 'Key']],
  ])('finds what %s says', (source, texts) => {
    expect(literalTexts(source)).toEqual(texts);
  });
});

describe('pages and components', () => {
  const components = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.svelte'))
    .map((path) => `src/${path}`);

  it('are found', () => expect(components.length).toBeGreaterThan(20));

  it.each(components)('%s takes its texts from the file of texts', (path) => {
    expect(literalTexts(readFileSync(path, 'utf8'))).toEqual([]);
  });
});
