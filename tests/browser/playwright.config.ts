import { defineConfig } from '@playwright/test';

/** Real Chromium, real node: nothing is mocked but the network in between, which support/tap.ts can cut. */
export default defineConfig({
  testDir: '.',
  testMatch: 'stories/*.spec.ts',
  outputDir: 'results',
  // How long until something counts as broken. Key stretching takes a second of real work for each sign-up, machines that build
  // are slow, and a wait that is not needed costs nothing.
  timeout: 180_000,
  expect: { timeout: 30_000 },
  workers: 2,
  fullyParallel: true,
  retries: 0,
  forbidOnly: Boolean(process.env['CI']),
  reporter: process.env['CI'] ? [['line']] : [['list']],
  use: {
    actionTimeout: 30_000,
    // Without a film of each page, which nobody looks at where a picture of the end and the steps are there; it costs a tenth.
    trace: { mode: 'retain-on-failure', screenshots: false },
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
