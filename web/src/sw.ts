/// <reference lib="webworker" />
/**
 * The service worker: keeps the files of ONE version of the UI, so that it opens without a network. It never sees the
 * API: everything below /api goes to the node untouched.
 */
export {};
declare const self: ServiceWorkerGlobalScope;

// Both are filled in when the UI is built (build/service-worker.ts).
const cacheName = 'weft-__WEFT_VERSION__';
const files = new Set<string>(JSON.parse('__WEFT_FILES__') as string[]);

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(cacheName).then((cache) => cache.addAll([...files].map((file) => new Request(file, { cache: 'no-cache' })))));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name.startsWith('weft-') && name !== cacheName).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

// The page asks for this once the person has agreed to load the new version.
self.addEventListener('message', (event) => {
  if (event.data === 'weft:activate') void self.skipWaiting();
});

self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== self.location.origin || url.pathname.startsWith('/api/')) return;
  if (event.request.mode === 'navigate' && url.pathname === '/') event.respondWith(kept('/', event.request));
  else if (files.has(url.pathname)) event.respondWith(kept(url.pathname, event.request));
  else if (url.pathname.startsWith('/assets/')) event.respondWith(keepOnUse(event.request));
});

async function kept(path: string, request: Request): Promise<Response> {
  const cache = await caches.open(cacheName);
  return (await cache.match(path)) ?? fetch(request);
}

/** Hashed files that are large and rarely wanted: cached once they were fetched. */
async function keepOnUse(request: Request): Promise<Response> {
  const cache = await caches.open(cacheName);
  const found = await cache.match(request);
  if (found) return found;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(request, answer.clone());
  return answer;
}
