import { createHash } from 'node:crypto';
import type { Plugin } from 'vite';

/**
 * Gives the service worker the list of files that make up this version, so that the whole UI works offline and an
 * update is taken whole or not at all.
 */
export function serviceWorker(): Plugin {
  return {
    name: 'weft-service-worker',
    apply: 'build',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        const worker = bundle['sw.js'];
        if (worker?.type !== 'chunk') this.error('sw.js is not part of the build');
        const digest = createHash('sha256');
        const files: string[] = [];
        for (const [name, item] of Object.entries(bundle).sort(([a], [b]) => a.localeCompare(b))) {
          if (name === 'sw.js' || name.endsWith('.map')) continue;
          digest.update(name).update(item.type === 'chunk' ? item.code : item.source);
          // Emoji data and the scanner are fetched when they are first asked for; they are cached then.
          if (!/data-[^/]*\.json$|zxing[^/]*\.wasm$/.test(name)) files.push(name === 'index.html' ? '/' : `/${name}`);
        }
        const version = digest.update(worker.code).digest('hex').slice(0, 16);
        const code = worker.code.replaceAll('__WEFT_VERSION__', version);
        const listed = code.replace(/["'`]__WEFT_FILES__["'`]/, JSON.stringify(JSON.stringify(files)));
        if (listed === code) this.error('sw.ts does not name __WEFT_FILES__');
        worker.code = listed;
      },
    },
  };
}
