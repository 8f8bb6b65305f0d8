/**
 * Draws the PNG icons from public/icons/weft.svg, for browsers and home screens that take no SVG. They are committed; run it
 * when the sign changes: `npm run icons` (needs Chromium, as the browser tests do).
 */
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../tests/browser/package.json', import.meta.url));
const { chromium } = require('@playwright/test');
const icons = new URL('../public/icons/', import.meta.url);
const svg = await readFile(new URL('weft.svg', icons), 'utf8');
const browser = await chromium.launch({ executablePath: process.env.WEFT_CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
const page = await browser.newPage();
for (const { name, size, maskable } of [
  { name: 'weft-192', size: 192 },
  { name: 'weft-512', size: 512 },
  { name: 'weft-maskable-512', size: 512, maskable: true },
]) {
  await page.setViewportSize({ width: size, height: size });
  // A mask may cut away everything outside of the middle 80 %.
  const drawn = maskable ? svg.replace('rx="15"', 'rx="0"').replace('<g ', '<g transform="translate(9.6 9.6) scale(.7)" ') : svg;
  await page.setContent(`<body style="margin:0">${drawn.replace('<svg ', `<svg width="${size}" height="${size}" `)}</body>`);
  await writeFile(new URL(`${name}.png`, icons), await page.screenshot({ omitBackground: true }));
}
await browser.close();
