import { m } from '$messages/messages';
import { formatAmount } from '../../../state/money';
import type { EscrowView } from '../../../wire/EscrowView';
import type { Tone } from '../../../ui/Mark.svelte';

/** So many characters of any script have no more bytes than a note may have (wire/limits.rs). */
export const NOTE_MAX = 42;

/** How it stands, in a word. */
export function stateOf({ state }: EscrowView): { text: string; tone: Tone } {
  switch (state) {
    case 'open':
      return { text: m.escrow_open(), tone: 'warn' };
    case 'released':
      return { text: m.escrow_released(), tone: 'accent' };
    case 'split':
      return { text: m.escrow_split(), tone: 'accent' };
    case 'expired':
      return { text: m.escrow_expired(), tone: 'plain' };
    default:
      return { text: m.escrow_returned(), tone: 'plain' };
  }
}

/** What of that which went to the seller can still go back. */
export function refundable(escrow: EscrowView): bigint {
  return escrow.transfer === null ? 0n : BigInt(escrow.to_seller) - BigInt(escrow.refunded);
}

/** What of it goes back where the seller gets so much. */
export function restOf({ total }: EscrowView, toSeller: string | bigint): bigint {
  return BigInt(total) - BigInt(toSeller);
}

/** `6.00 EUR to Alice, 4.00 EUR back to Bob.` */
export function partsText(escrow: EscrowView, toSeller: string | bigint, tag: string): string {
  const amount = (sum: string | bigint): string => formatAmount(sum, escrow.asset, tag);
  return m.escrow_parts({ some: amount(toSeller), seller: escrow.seller.name, rest: amount(restOf(escrow, toSeller)), buyer: escrow.buyer.name });
}
