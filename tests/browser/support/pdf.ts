import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect, type Browser, type BrowserContext, type Page } from '@playwright/test';
import type { Person } from './person.ts';

const READER = join(dirname(createRequire(import.meta.url).resolve('pdfjs-dist/package.json')), 'build');
/** Nobody answers there: what the reader asks for is answered from its package. */
const ORIGIN = 'http://reader.test';
const BUTTON = 'Print or save as PDF';
/** Points on paper are 72 to the inch. */
const MM = 72 / 25.4;
/** So many pixels for each point: a scanner of codes has enough with that. */
const SCALE = 2;

/** Words that stand together, and where: in mm from the left and the top of the page. */
export interface Words {
  text: string;
  left: number;
  right: number;
  top: number;
}

/** A page of a PDF as a reader sees it. */
export interface Sheet {
  /** In mm. */
  width: number;
  height: number;
  /** From the top, and in each line from the left. */
  lines: Words[][];
  picture: Buffer;
}

/** What the app's print button leads to, as a file that the browser makes of it. Who presses it sees the file's name. */
export async function printed(person: Person): Promise<{ pdf: Buffer; name: string }> {
  const { page } = person;
  // No dialog opens here. What it would take is asked for while it would be open.
  await page.evaluate(() => (window.print = () => void (document.documentElement.dataset['printed'] = document.title)));
  await page.getByRole('button', { name: BUTTON }).click();
  const root = page.locator('html');
  await expect(root).toHaveAttribute('data-printed', /./);
  const name = (await root.getAttribute('data-printed')) ?? '';
  await page.evaluate(() => delete document.documentElement.dataset['printed']);
  return { pdf: await page.pdf({ format: 'A4', preferCSSPageSize: true }), name };
}

/** Mozilla's reader of PDF files, in a browser page of its own. */
export class Reader {
  readonly #context: BrowserContext;
  readonly #page: Page;

  private constructor(context: BrowserContext, page: Page) {
    this.#context = context;
    this.#page = page;
  }

  static async open(browser: Browser): Promise<Reader> {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.route(`${ORIGIN}/**`, async (route) => {
      const file = new URL(route.request().url()).pathname.slice(1);
      if (file === '') await route.fulfill({ contentType: 'text/html', body: '<!doctype html>' });
      else await route.fulfill({ contentType: 'text/javascript', body: await readFile(join(READER, file)) });
    });
    await page.goto(`${ORIGIN}/`);
    return new Reader(context, page);
  }

  async read(pdf: Buffer): Promise<Sheet[]> {
    const pages = await this.#page.evaluate(readPages, { base64: pdf.toString('base64'), scale: SCALE });
    return pages.map(({ width, height, items, picture }) => ({
      width: width / MM,
      height: height / MM,
      lines: linesOf(items.map(({ text, x, y, width: wide }) => ({ text, left: x / MM, right: (x + wide) / MM, top: (height - y) / MM }))),
      picture: Buffer.from(picture, 'base64'),
    }));
  }

  async close(): Promise<void> {
    await this.#context.close();
  }
}

interface Item {
  text: string;
  /** In points from the left and from the bottom. */
  x: number;
  y: number;
  width: number;
}

/** Runs in the reader's page. */
async function readPages({ base64, scale }: { base64: string; scale: number }): Promise<{ width: number; height: number; items: Item[]; picture: string }[]> {
  const reader = '/pdf.mjs';
  const { getDocument, GlobalWorkerOptions } = (await import(reader)) as typeof import('pdfjs-dist');
  GlobalWorkerOptions.workerSrc = '/pdf.worker.mjs';
  const file = await getDocument({ data: Uint8Array.from(atob(base64), (sign) => sign.charCodeAt(0)) }).promise;
  const pages = [];
  for (let number = 1; number <= file.numPages; number += 1) {
    const page = await file.getPage(number);
    const [, , width, height] = page.view as [number, number, number, number];
    const { items } = await page.getTextContent();
    const canvas = document.createElement('canvas');
    const viewport = page.getViewport({ scale });
    [canvas.width, canvas.height] = [Math.ceil(viewport.width), Math.ceil(viewport.height)];
    await page.render({ canvas, viewport }).promise;
    pages.push({
      width,
      height,
      items: items.flatMap((item) => ('str' in item && item.str.trim() ? [{ text: item.str, x: item.transform[4] as number, y: item.transform[5] as number, width: item.width }] : [])),
      picture: canvas.toDataURL('image/png').replace(/^.*,/, ''),
    });
  }
  await file.destroy();
  return pages;
}

/** What stands on one height is a line; what stands close together in it are words of one cell. */
function linesOf(words: Words[]): Words[][] {
  const [HIGH, NEAR] = [0.8, 2.3];
  const lines: Words[][] = [];
  for (const word of words.toSorted((a, b) => a.top - b.top)) {
    const line = lines.at(-1);
    if (line?.[0] && word.top - line[0].top < HIGH) line.push(word);
    else lines.push([word]);
  }
  return lines.map((line) => {
    const cells: Words[] = [];
    for (const word of line.sort((a, b) => a.left - b.left)) {
      const cell = cells.at(-1);
      if (!cell || word.left - cell.right > NEAR) cells.push({ ...word });
      else Object.assign(cell, { text: `${cell.text}${word.left - cell.right > 0.3 ? ' ' : ''}${word.text}`, right: word.right });
    }
    return cells;
  });
}

/** All that stands on some pages, a line each. */
export function textOf(sheets: readonly Sheet[]): string {
  return sheets.flatMap(({ lines }) => lines.map((line) => line.map(({ text }) => text).join(' | '))).join('\n');
}
