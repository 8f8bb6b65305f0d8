/** A row of what the engine keeps in a browser. */
export type Row = [space: 'state' | 'history', key: number[], value: number[]];

/** Runs in a page of the origin without the app: everything that is kept, opened. */
export async function readRows(): Promise<Row[]> {
  const done = <T>(request: IDBRequest<T>): Promise<T> => new Promise((resolve, reject) => ((request.onsuccess = () => resolve(request.result)), (request.onerror = () => reject(request.error))));
  const db = await done(indexedDB.open('weft'));
  const seal = (await done(db.transaction('keys').objectStore('keys').get('seal'))) as CryptoKey;
  const found: Row[] = [];
  for (const space of ['state', 'history'] as const) {
    const store = db.transaction(space).objectStore(space);
    const [keys, values] = await Promise.all([done(store.getAllKeys()), done(store.getAll())]);
    for (const [index, key] of keys.entries()) {
      const at = new Uint8Array(key as ArrayBuffer);
      const sealed = values[index] as Uint8Array<ArrayBuffer>;
      const additionalData = new Uint8Array([...new TextEncoder().encode(`weft/row/1/${space}/`), ...at]);
      const opened = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: sealed.subarray(0, 12), additionalData }, seal, sealed.subarray(12));
      found.push([space, [...at], [...new Uint8Array(opened)]]);
    }
  }
  db.close();
  return found;
}

/** Runs in a page of the origin without the app: puts rows, sealed. Where nothing is kept yet, the database is made as the app makes it. */
export async function writeRows(rows: Row[]): Promise<void> {
  const done = <T>(request: IDBRequest<T>): Promise<T> => new Promise((resolve, reject) => ((request.onsuccess = () => resolve(request.result)), (request.onerror = () => reject(request.error))));
  const opening = indexedDB.open('weft', 1);
  opening.onupgradeneeded = () => ['state', 'history', 'keys'].forEach((name) => opening.result.createObjectStore(name));
  const db = await done(opening);
  const kept = (await done(db.transaction('keys').objectStore('keys').get('seal'))) as CryptoKey | undefined;
  const seal = kept ?? (await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']));
  if (!kept) await done(db.transaction('keys', 'readwrite').objectStore('keys').put(seal, 'seal'));
  const sealed = await Promise.all(
    rows.map(async ([space, key, value]) => {
      const iv = crypto.getRandomValues(new Uint8Array(12));
      const additionalData = new Uint8Array([...new TextEncoder().encode(`weft/row/1/${space}/`), ...key]);
      const closed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData }, seal, new Uint8Array(value));
      return { space, key: new Uint8Array(key), value: new Uint8Array([...iv, ...new Uint8Array(closed)]) };
    }),
  );
  const writing = db.transaction(['state', 'history'], 'readwrite');
  for (const { space, key, value } of sealed) writing.objectStore(space).put(value, key);
  await new Promise((resolve, reject) => ((writing.oncomplete = resolve), (writing.onabort = () => reject(writing.error))));
  db.close();
}
