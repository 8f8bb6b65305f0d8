import { defineConfig } from '@playwright/test';

/** Real Chromium, real node: nothing is mocked but the network in between, which support/tap.ts can cut. */
export default defineConfig({
  testDir: '.',
  testMatch: 'stories/*.spec.ts',
  outputDir: 'results',
  // Key stretching takes a second of real work for each sign-up, and CI has two cores.
  timeout: 90_000,
  expect: { timeout: 15_000 },
  workers: 2,
  fullyParallel: true,
  retries: 0,
  forbidOnly: Boolean(process.env['CI']),
  reporter: process.env['CI'] ? [['line']] : [['list']],
  use: {
    actionTimeout: 15_000,
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
    locale: 'en-GB',
    timezoneId: 'Europe/Berlin',
    // A new version would swap the files under a running test.
    serviceWorkers: 'allow',
    launchOptions: {
      executablePath: process.env['WEFT_CHROMIUM'] ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        // Fields are otherwise described to a server of the browser's maker.
        '--disable-features=AutofillServerCommunication,Translate,MediaRouter,OptimizationHints',
        '--use-fake-ui-for-media-stream',
        '--use-fake-device-for-media-stream',
      ],
    },
  },
});
