import { wallet } from '../../../state/wallet.svelte';
import type { AmountChoice } from '../AmountField.svelte';

/** What one can pay with, and how much of it there is. */
export function payable(): AmountChoice[] {
  return wallet.accounts.filter((account) => !account.frozen).map(({ asset, title, available }) => ({ asset, title, available }));
}

/** What one can ask for: whoever is paid needs no money before. */
export function askable(): AmountChoice[] {
  return wallet.assets.map(({ asset, title }) => ({ asset, title }));
}

/** Bytes that a note, or a greeting, may have (wire/limits.rs, MONEY_NOTE_BYTES_MAX). */
const NOTE_BYTES_MAX = 256;

export function tooLong(note: string): boolean {
  return new TextEncoder().encode(note.trim()).length > NOTE_BYTES_MAX;
}
