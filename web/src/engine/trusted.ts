/**
 * The one Trusted Types policy of our own: script addresses that lead to a file of this very build. Workers can be started
 * from nothing else, and no text can ever become a script.
 */
const policy = globalThis.trustedTypes?.createPolicy('weft', {
  createScriptURL(address) {
    const url = new URL(address, location.origin);
    const ours = url.origin === location.origin && (url.pathname === '/sw.js' || url.pathname.startsWith('/assets/'));
    if (!ours && !import.meta.env.DEV) throw new TypeError(`not a script of this build: ${url.pathname}`);
    return url.href;
  },
});

/** For `new Worker`, `new SharedWorker` and `serviceWorker.register`. */
export function scriptUrl(address: string): string {
  return (policy?.createScriptURL(address) ?? address) as string;
}
