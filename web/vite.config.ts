import { paraglideVitePlugin } from '@inlang/paraglide-js';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from '@testing-library/svelte/vite';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { serviceWorker } from './build/service-worker.ts';

/** The node that `npm run dev` hands API requests to. */
const node = process.env['WEFT_NODE'] ?? 'http://127.0.0.1:8440';
/** Another set of messages: the pseudo-locale of the browser tests is compiled in place of English. */
const project = process.env['WEFT_MESSAGES'] ?? './project.inlang';
const outDir = process.env['WEFT_DIST'] ?? 'dist';
const paraglide = process.env['WEFT_MESSAGES'] ? `${outDir}-messages` : './src/paraglide';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig(({ mode }) => ({
  plugins: [
    paraglideVitePlugin({ project, outdir: paraglide, strategy: ['baseLocale'], emitGitIgnore: false, isServer: 'false' }),
    svelte(),
    serviceWorker(),
    ...(mode === 'test' ? [svelteTesting()] : []),
  ],
  resolve: {
    alias: [
      { find: '$messages', replacement: here(paraglide) },
      { find: '$wasm_url', replacement: `${here('src/engine/pkg/weft_wasm_bg.wasm')}?url` },
      { find: '$wasm', replacement: here('src/engine/pkg/weft_wasm.js') },
    ],
  },
  worker: { format: 'es' },
  build: {
    outDir,
    emptyOutDir: true,
    target: 'es2023',
    // A data: URL would need a hole in the Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: 'index.html', sw: 'src/sw.ts' },
      output: {
        entryFileNames: (chunk) => (chunk.name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js'),
        // What the start and the parts that are loaded later share, in one piece: many small ones are packed worse. What only
        // those share is a piece of its own, so that the start does not carry it.
        codeSplitting: {
          groups: [
            { name: 'shared', minShareCount: 2, tags: ['$initial'] },
            { name: 'later', minShareCount: 2 },
          ],
        },
      },
    },
  },
  server: { proxy: { '/api': { target: node, ws: true, changeOrigin: true } } },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.spec.ts'],
    restoreMocks: true,
  },
}));
