import { session } from '../../../state/session.svelte';
import { wallet } from '../../../state/wallet.svelte';
import type { AccountView } from '../../../wire/AccountView';
import { nodeOf } from '../../../ui/address';
import type { AmountChoice } from '../AmountField.svelte';
import { mostOf, type Most } from '../limits';
import { reaches } from '../reach';

/** What can be paid from an account, at once at most. */
export function choiceOf({ asset, title, available }: AccountView): AmountChoice {
  return { asset, title, available, most: mostOf(asset.id) };
}

/** What one can pay with, and how much of it there is; `user`: to this person. First what there is some of, and of that what the own server issues. */
export function payable(user?: string | null): AmountChoice[] {
  const able = wallet.accounts.filter(({ frozen, asset }) => !frozen && (!user || reaches(user, asset.id)));
  const empty = ({ available }: AccountView): number => Number(available === '0');
  return able.sort((one, other) => empty(one) - empty(other)).map(choiceOf);
}

/** What one can ask for: whoever is paid needs no money before. `user`: what this person can pay with. */
export function askable(user?: string | null): AmountChoice[] {
  return wallet.assets.filter(({ asset }) => !user || reaches(user, asset.id)).map(({ asset, title }) => ({ asset, title, most: mostAsked(asset.id, user) }));
}

/** What this person may pay at once, or whoever it is; people of another server are bound by what that one says. */
export function mostAsked(asset: string, user?: string | null): Most | null {
  const here = !user || nodeOf(user) === nodeOf(session.me?.user ?? '');
  return here ? mostOf(asset, Boolean(user)) : null;
}

/** Bytes that a note, or a greeting, may have (wire/limits.rs, MONEY_NOTE_BYTES_MAX). */
const NOTE_BYTES_MAX = 256;

export function tooLong(note: string): boolean {
  return new TextEncoder().encode(note.trim()).length > NOTE_BYTES_MAX;
}
