import journeys from './playwright.config';

/** `npm run bench:viewer`: measures the viewer; see docs/benchmarks.md. */
export default {
  ...journeys,
  testDir: 'benchmarks',
  testMatch: '*.bench.ts',
  timeout: 600_000,
  retries: 0,
  // A trace would record every answer, and pictures of the page all the time.
  use: { ...journeys.use, trace: 'off' as const },
};
