import { wallet } from '../../../state/wallet.svelte';
import type { AmountChoice } from '../AmountField.svelte';
import { reaches } from '../reach';

/** What one can pay with, and how much of it there is; `user`: to this person. */
export function payable(user?: string | null): AmountChoice[] {
  return wallet.accounts.filter(({ frozen, asset }) => !frozen && (!user || reaches(user, asset.id))).map(({ asset, title, available }) => ({ asset, title, available }));
}

/** What one can ask for: whoever is paid needs no money before. `user`: what this person can pay with. */
export function askable(user?: string | null): AmountChoice[] {
  return wallet.assets.filter(({ asset }) => !user || reaches(user, asset.id)).map(({ asset, title }) => ({ asset, title }));
}

/** Bytes that a note, or a greeting, may have (wire/limits.rs, MONEY_NOTE_BYTES_MAX). */
const NOTE_BYTES_MAX = 256;

export function tooLong(note: string): boolean {
  return new TextEncoder().encode(note.trim()).length > NOTE_BYTES_MAX;
}
