import 'fake-indexeddb/auto';
import { openDB } from 'idb';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Space, Write } from './machine';
import { Damaged, Store } from './store';

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);
const put = (space: Space, key: Uint8Array, value: Uint8Array): Write => ({ write: 'put', space, key, value });

let name = '';
let count = 0;
beforeEach(() => (name = `store-${count++}`));

describe('the store', () => {
  it('gives back what was kept, after it was opened again', async () => {
    const store = await Store.open(name);
    await store.commit([put('state', bytes(1), bytes(10, 11)), put('state', bytes(2), bytes()), put('history', bytes(1), bytes(12))]);
    store.close();
    const again = await Store.open(name);
    expect(await again.loadState()).toEqual([
      [bytes(1), bytes(10, 11)],
      [bytes(2), bytes()],
    ]);
  });

  it('applies writes in order: the last one counts', async () => {
    const store = await Store.open(name);
    await store.commit([put('state', bytes(1), bytes(1)), { write: 'delete', space: 'state', key: bytes(1) }, put('state', bytes(2), bytes(2)), put('state', bytes(2), bytes(3))]);
    expect(await store.loadState()).toEqual([[bytes(2), bytes(3)]]);
  });

  it('reads history by range, in both directions, by bytes', async () => {
    const store = await Store.open(name);
    await store.commit([0, 1, 2, 127, 128, 255].map((key) => put('history', bytes(7, key), bytes(key))));
    const keys = async (from: number[], to: number[], limit: number, reverse: boolean): Promise<number[]> => (await store.readHistory(bytes(...from), bytes(...to), limit, reverse)).map(([, value]) => value[0] ?? -1);
    expect(await keys([7, 1], [7, 128], 10, false)).toEqual([1, 2, 127]);
    expect(await keys([7], [8], 2, false)).toEqual([0, 1]);
    expect(await keys([7], [8], 3, true)).toEqual([255, 128, 127]);
    expect(await keys([7, 5], [7, 5], 3, true)).toEqual([]);
    expect(await keys([8], [7], 3, false)).toEqual([]);
  });

  it('keeps no value readable, and none that can be moved', async () => {
    const secret = new TextEncoder().encode('a secret that must not be found');
    const store = await Store.open(name);
    await store.commit([put('state', bytes(1), secret)]);
    store.close();
    const raw = await openDB(name);
    const row = (await raw.get('state', bytes(1) as Uint8Array<ArrayBuffer>)) as Uint8Array;
    expect(new TextDecoder('latin1').decode(row)).not.toContain('secret');
    const key = (await raw.get('keys', 'seal')) as CryptoKey;
    expect(key.extractable).toBe(false);
    await raw.put('state', row, bytes(2) as Uint8Array<ArrayBuffer>);
    raw.close();
    await expect((await Store.open(name)).loadState()).rejects.toBeInstanceOf(Damaged);
  });

  it('says that it is damaged when a bit was flipped', async () => {
    const store = await Store.open(name);
    await store.commit([put('state', bytes(1), bytes(1, 2, 3))]);
    store.close();
    const raw = await openDB(name);
    const row = (await raw.get('state', bytes(1) as Uint8Array<ArrayBuffer>)) as Uint8Array;
    row[row.length - 1] = (row.at(-1) ?? 0) ^ 1;
    await raw.put('state', row, bytes(1) as Uint8Array<ArrayBuffer>);
    raw.close();
    await expect((await Store.open(name)).loadState()).rejects.toBeInstanceOf(Damaged);
  });

  it('forgets everything at a wipe, the key too, and keeps what comes after it', async () => {
    const store = await Store.open(name);
    await store.commit([put('state', bytes(1), bytes(1)), put('history', bytes(1), bytes(1))]);
    const raw = await openDB(name);
    const before = await raw.get('state', bytes(1) as Uint8Array<ArrayBuffer>);
    await store.commit([{ write: 'wipe' }, put('state', bytes(3), bytes(3))]);
    expect(await store.loadState()).toEqual([[bytes(3), bytes(3)]]);
    expect(await store.readHistory(bytes(0), bytes(255), 10, false)).toEqual([]);
    await raw.put('state', before, bytes(1) as Uint8Array<ArrayBuffer>);
    raw.close();
    await expect(store.loadState()).rejects.toBeInstanceOf(Damaged);
  });
});
