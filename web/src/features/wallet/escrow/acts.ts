/** What the two sides may say of money that is held. */
import Undo from '@lucide/svelte/icons/undo-2';
import { m } from '$messages/messages';
import { formatAmount } from '../../../state/money';
import type { EscrowView } from '../../../wire/EscrowView';
import type { Deed } from '../Deeds.svelte';
import { refundable } from './words';

/** What was begun; so much to the seller is what the PIN, or a last word, is asked for. */
export type Doing = { act: 'agree'; sum: string } | { act: 'part' } | { act: 'refund' };

/** As whom one looks at it: a shop is the seller, and its cashiers only look. `role`: what one may do in the shop where it is read. */
export function sideOf(escrow: EscrowView, role: string | undefined): 'buyer' | 'seller' | null {
  if (escrow.mine && role === undefined) return 'buyer';
  return role === 'cashier' ? null : 'seller';
}

/** What can be done about it now. */
export function deedsOf(escrow: EscrowView, role: string | undefined, tag: string, begin: (doing: Doing) => void): Deed[] {
  const side = sideOf(escrow, role);
  if (side === null) return [];
  const amount = (sum: string): string => formatAmount(sum, escrow.asset, tag);
  if (escrow.state !== 'open') {
    return side === 'seller' && refundable(escrow) > 0n ? [{ label: m.refund(), icon: Undo, seldom: true, run: () => begin({ act: 'refund' }) }] : [];
  }
  const agree = (sum: string, label: string, tone: 'accent' | 'plain' = 'plain'): Deed => ({ label, tone, run: () => begin({ act: 'agree', sum }) });
  const part: Deed = { label: m.escrow_part(), run: () => begin({ act: 'part' }) };
  if (side === 'buyer') {
    const asked = escrow.asked === null ? [] : [agree(escrow.asked, m.escrow_agree({ amount: amount(escrow.asked) }))];
    return [agree(escrow.total, m.escrow_release({ amount: amount(escrow.total) }), 'accent'), ...asked, part];
  }
  const offered = escrow.offered === null ? [] : [agree(escrow.offered, m.escrow_agree({ amount: amount(escrow.offered) }), 'accent')];
  return [...offered, agree('0', m.escrow_return()), part];
}
