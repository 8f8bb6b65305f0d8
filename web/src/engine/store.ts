import { openDB, type DBSchema, type IDBPDatabase } from 'idb';
import type { Row, Space, Write } from './machine';
import { newSealKey, seal, unseal } from './seal';

/** Written as a view, read back as a buffer: IndexedDB keeps the bytes only. */
type Key = Uint8Array<ArrayBuffer> | ArrayBuffer;

interface Schema extends DBSchema {
  state: { key: Key; value: Uint8Array };
  history: { key: Key; value: Uint8Array };
  /** One entry, `seal`: the key of all values. IndexedDB can keep it, no script can read it. */
  keys: { key: string; value: CryptoKey };
}

/** What is kept cannot be opened with the key that is kept beside it. */
export class Damaged extends Error {
  override readonly name = 'Damaged';
}

type Sealed = { write: 'put'; space: Space; key: Key; row: Uint8Array } | { write: 'delete'; space: Space; key: Key } | { write: 'wipe' };

/** Ordered keys and sealed values in IndexedDB: what the engine keeps in this browser. */
export class Store {
  readonly #db: IDBPDatabase<Schema>;
  #key: CryptoKey;

  private constructor(db: IDBPDatabase<Schema>, key: CryptoKey) {
    this.#db = db;
    this.#key = key;
  }

  /** `lost` is called when the browser closes the database under us (storage cleared, disk gone). */
  static async open(name = 'weft', lost: () => void = () => undefined): Promise<Store> {
    const db = await openDB<Schema>(name, 1, {
      upgrade(database) {
        database.createObjectStore('state');
        database.createObjectStore('history');
        database.createObjectStore('keys');
      },
      blocking: () => db.close(),
      terminated: lost,
    });
    let key = await db.get('keys', 'seal');
    if (!key) {
      key = await newSealKey();
      await db.put('keys', key, 'seal');
    }
    return new Store(db, key);
  }

  /** Everything in `state`, opened. Small: it is read whole, once. */
  async loadState(): Promise<Row[]> {
    const reading = this.#db.transaction('state');
    const [keys, rows] = await Promise.all([reading.store.getAllKeys(), reading.store.getAll()]);
    return this.#open('state', keys, rows);
  }

  /** Rows with `from <= key < to`, at most `limit`, from the end backwards when `reverse`. */
  async readHistory(from: Uint8Array, to: Uint8Array, limit: number, reverse: boolean): Promise<Row[]> {
    if (compare(from, to) >= 0 || limit <= 0) return [];
    const range = IDBKeyRange.bound(from as Uint8Array<ArrayBuffer>, to as Uint8Array<ArrayBuffer>, false, true);
    const reading = this.#db.transaction('history');
    if (!reverse) {
      const [keys, rows] = await Promise.all([reading.store.getAllKeys(range, limit), reading.store.getAll(range, limit)]);
      return this.#open('history', keys, rows);
    }
    const keys: Key[] = [];
    const rows: Uint8Array[] = [];
    for (let cursor = await reading.store.openCursor(range, 'prev'); cursor && keys.length < limit; cursor = await cursor.continue()) {
      keys.push(cursor.key);
      rows.push(cursor.value);
    }
    return this.#open('history', keys, rows);
  }

  /** All of it or nothing, and on the disk when this resolves. */
  async commit(writes: readonly Write[]): Promise<void> {
    // A new key after a wipe: what was kept before cannot be opened by anyone who digs it out of the disk.
    const wipes = writes.some((write) => write.write === 'wipe');
    const key = wipes ? await newSealKey() : this.#key;
    const sealed = await Promise.all(writes.map((write) => sealWrite(key, write)));
    const writing = this.#db.transaction(['state', 'history', 'keys'], 'readwrite', { durability: 'strict' });
    const failures: Promise<unknown>[] = [];
    for (const write of sealed) {
      if (write.write === 'wipe') {
        failures.push(writing.objectStore('state').clear(), writing.objectStore('history').clear());
        failures.push(writing.objectStore('keys').put(key, 'seal'));
      } else if (write.write === 'put') failures.push(writing.objectStore(write.space).put(write.row, write.key));
      else failures.push(writing.objectStore(write.space).delete(write.key));
    }
    // Now rather than after the last answer: what was asked for is done even if this worker ends meanwhile.
    writing.commit();
    await Promise.all([...failures, writing.done]);
    this.#key = key;
  }

  /** Forgets everything, also what cannot be opened. */
  erase(): Promise<void> {
    return this.commit([{ write: 'wipe' }]);
  }

  close(): void {
    this.#db.close();
  }

  async #open(space: Space, keys: Key[], rows: Uint8Array[]): Promise<Row[]> {
    const opened = keys.map(async (key, index): Promise<Row> => {
      const bytes = new Uint8Array(key instanceof ArrayBuffer ? key : key.slice());
      const row = rows[index];
      if (!row) throw new Damaged(`a row of ${space} is missing`);
      try {
        return [bytes, await unseal(this.#key, space, bytes, row)];
      } catch (cause) {
        throw new Damaged(`a row of ${space} cannot be opened`, { cause });
      }
    });
    return Promise.all(opened);
  }
}

async function sealWrite(key: CryptoKey, write: Write): Promise<Sealed> {
  if (write.write === 'wipe') return write;
  const at = { space: write.space, key: write.key as Uint8Array<ArrayBuffer> };
  if (write.write === 'delete') return { write: 'delete', ...at };
  return { write: 'put', ...at, row: await seal(key, write.space, write.key, write.value) };
}

function compare(a: Uint8Array, b: Uint8Array): number {
  for (let index = 0; index < Math.min(a.length, b.length); index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
