import type { Space } from './machine';

const IV_BYTES = 12;
const encoder = new TextEncoder();

/** A key that no script can read out: it can be used here, and only here. */
export function newSealKey(): Promise<CryptoKey> {
  return crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
}

/** The place of a row is bound into its seal, so that rows cannot be swapped by someone who edits the database. */
function place(space: Space, key: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = encoder.encode(`weft/row/1/${space}/`);
  const bound = new Uint8Array(head.length + key.length);
  bound.set(head);
  bound.set(key, head.length);
  return bound;
}

/** AES-GCM under a fresh random nonce, which stands in front. */
export async function seal(sealKey: CryptoKey, space: Space, key: Uint8Array, value: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const options = { name: 'AES-GCM', iv, additionalData: place(space, key) };
  const sealed = await crypto.subtle.encrypt(options, sealKey, value as Uint8Array<ArrayBuffer>);
  const row = new Uint8Array(IV_BYTES + sealed.byteLength);
  row.set(iv);
  row.set(new Uint8Array(sealed), IV_BYTES);
  return row;
}

/** Rejects when the row was altered, moved, or sealed under another key. */
export async function unseal(sealKey: CryptoKey, space: Space, key: Uint8Array, row: Uint8Array): Promise<Uint8Array> {
  const bytes = row as Uint8Array<ArrayBuffer>;
  const options = { name: 'AES-GCM', iv: bytes.subarray(0, IV_BYTES), additionalData: place(space, key) };
  return new Uint8Array(await crypto.subtle.decrypt(options, sealKey, bytes.subarray(IV_BYTES)));
}
