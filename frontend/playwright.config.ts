import { availableParallelism } from 'node:os';
import { defineConfig } from '@playwright/test';

const executablePath = process.env.CHROMIUM_PATH;

export default defineConfig({
  testDir: 'e2e',
  // One file of journeys at a time per core, each with servers, data and a browser of its own.
  workers: Math.min(4, availableParallelism()),
  timeout: 90_000,
  expect: { timeout: 15_000 },
  retries: process.env.CI ? 1 : 0,
  forbidOnly: Boolean(process.env.CI),
  reporter: [['list']],
  use: {
    browserName: 'chromium',
    locale: 'en-GB',
    // A trace of every journey, most of which pass, costs as much as the journeys: by hand, `--trace on`.
    trace: 'on-first-retry',
    screenshot: 'only-on-failure',
    launchOptions: {
      ...(executablePath ? { executablePath } : {}),
      args: [
        '--no-sandbox',
        '--disable-dev-shm-usage',
        // WebGL without a graphics card, for what asks for it. To force it on Chromium (`--use-angle`) would put
        // every page through it, at a seventh of the pictures a second.
        '--enable-unsafe-swiftshader',
      ],
    },
  },
});
