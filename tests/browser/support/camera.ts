import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type Browser, type Locator } from '@playwright/test';
import { shown } from './codes.ts';
import { test as base } from './test.ts';

const [WIDTH, HEIGHT] = [640, 480];

/** What all cameras of this browser see: a film that a story changes while they look. */
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

  /** A picture, PNG, is held in front of the camera: a little askew, on a table. None: there is the table. */
  async take(picture: Buffer | null): Promise<void> {
    const stage = await this.#browser.newPage();
    const frame = await stage.evaluate(frameOf, { picture: picture?.toString('base64') ?? null, width: WIDTH, height: HEIGHT });
    await stage.close();
    const film = Buffer.concat([Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F30:1 Ip A1:1 C420jpeg\nFRAME\n`), Buffer.from(frame, 'base64')]);
    // All films are as long: in place, so that a camera that is on sees the new one.
    await writeFile(this.#file, film, { flag: existsSync(this.#file) ? 'r+' : 'w' });
  }
}

/** Runs in a page: one frame of the film, as brightness of each pixel and two colours of each four (I420). */
async function frameOf({ picture, width, height }: { picture: string | null; width: number; height: number }): Promise<string> {
  const stage = new OffscreenCanvas(width, height).getContext('2d');
  if (!stage) throw new Error('no canvas');
  stage.fillStyle = '#7a6a58';
  stage.fillRect(0, 0, width, height);
  if (picture) {
    const image = await createImageBitmap(new Blob([Uint8Array.from(atob(picture), (sign) => sign.charCodeAt(0))], { type: 'image/png' }));
    const scale = (0.8 * height) / Math.max(image.width, image.height);
    stage.translate(width / 2, height / 2);
    stage.rotate(0.07);
    stage.drawImage(image, (-image.width * scale) / 2, (-image.height * scale) / 2, image.width * scale, image.height * scale);
  }
  const { data } = stage.getImageData(0, 0, width, height);
  const frame = new Uint8Array((width * height * 3) / 2);
  const colours = width * height;
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const at = 4 * (y * width + x);
      const [red, green, blue] = [data[at] ?? 0, data[at + 1] ?? 0, data[at + 2] ?? 0];
      frame[y * width + x] = 0.299 * red + 0.587 * green + 0.114 * blue;
      if (y % 2 || x % 2) continue;
      const colour = colours + (y / 2) * (width / 2) + x / 2;
      frame[colour] = 128 - 0.169 * red - 0.331 * green + 0.5 * blue;
      frame[colour + colours / 4] = 128 + 0.5 * red - 0.419 * green - 0.081 * blue;
    }
  }
  let signs = '';
  for (let at = 0; at < frame.length; at += 8_192) signs += String.fromCharCode(...frame.subarray(at, at + 8_192));
  return btoa(signs);
}

/** Stories in which the browser's camera films what the story wants. */
export const test = base.extend<{ film: Film }, { reel: string }>({
  reel: [
    async ({}, use) => {
      const folder = await mkdtemp(join(tmpdir(), 'weft-film-'));
      await use(join(folder, 'film.y4m'));
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
