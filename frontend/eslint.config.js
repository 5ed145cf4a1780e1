import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';
import svelteConfig from './svelte.config.js';

export default ts.config(
  { ignores: ['.svelte-kit/', 'build/', 'test-results/', 'playwright-report/', 'node_modules/'] },
  js.configs.recommended,
  ...ts.configs.strict,
  ...svelte.configs.recommended,
  { languageOptions: { globals: { ...globals.browser, ...globals.node } } },
  {
    files: ['**/*.svelte', '**/*.svelte.ts'],
    languageOptions: {
      parserOptions: { extraFileExtensions: ['.svelte'], parser: ts.parser, svelteConfig },
    },
  },
  {
    rules: {
      // TypeScript knows which names exist.
      'no-undef': 'off',
      // The application is served from the root of its host.
      'svelte/no-navigation-without-resolve': 'off',
      // Text from DICOM files is only ever text.
      'svelte/no-at-html-tags': 'error',
      'no-restricted-globals': [
        'error',
        { name: 'localStorage', message: 'Only src/lib/state/preferences.svelte.ts keeps anything.' },
        { name: 'sessionStorage', message: 'Nothing of a session is stored in the browser.' },
      ],
    },
  },
  {
    files: ['src/**'],
    ignores: ['src/lib/api/**', '**/*.test.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: "CallExpression[callee.name='fetch']", message: 'Only src/lib/api calls fetch.' },
      ],
    },
  },
  { files: ['**/*.test.ts', 'e2e/**'], rules: { 'no-restricted-globals': 'off' } },
);
