import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type Browser, type Locator } from '@playwright/test';
import { shown } from './codes.ts';
import { test as base } from './test.ts';

/** What all cameras of this browser see: a file that a story writes anew, and that is read when a camera is switched on. */
export class Film {
  readonly #browser: Browser;
  readonly #file: string;

  constructor(browser: Browser, file: string) {
    this.#browser = browser;
    this.#file = file;
  }

  /** Somebody holds the code on their screen in front of the camera. */
  async show(code: Locator): Promise<void> {
    await this.take((await shown(code)).picture);
  }

  /** A picture is held in front of the camera: a little askew, on a table. None: there is the table. */
  async take(picture: Buffer | null): Promise<void> {
    const stage = await this.#browser.newPage({ viewport: { width: 640, height: 480 } });
    const image = picture ? `<img style="width:400px;transform:rotate(4deg)" src="data:image/png;base64,${picture.toString('base64')}">` : '';
    await stage.setContent(`<body style="margin:0;display:grid;place-content:center;height:100vh;background:#7a6a58">${image}`);
    const frame = await stage.screenshot({ type: 'jpeg', quality: 85 });
    await stage.close();
    // A camera that is on has the old file mapped.
    await writeFile(`${this.#file}.next`, Buffer.concat(Array.from({ length: 30 }, () => frame)));
    await rename(`${this.#file}.next`, this.#file);
  }
}

/** Stories in which the browser's camera films what the story wants. */
export const test = base.extend<{ film: Film }, { reel: string }>({
  reel: [
    async ({}, use) => {
      const folder = await mkdtemp(join(tmpdir(), 'weft-film-'));
      await use(join(folder, 'film.mjpeg'));
      await rm(folder, { recursive: true, force: true });
    },
    { scope: 'worker' },
  ],
  browser: [
    async ({ playwright, reel }, use, info) => {
      const options = info.project.use.launchOptions ?? {};
      const browser = await playwright.chromium.launch({ ...options, args: [...(options.args ?? []), `--use-file-for-fake-video-capture=${reel}`] });
      await use(browser);
      await browser.close();
    },
    { scope: 'worker' },
  ],
  film: async ({ browser, reel }, use) => use(new Film(browser, reel)),
});

export { expect };
