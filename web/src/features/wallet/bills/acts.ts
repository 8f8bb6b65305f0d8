/** What can be done about an invoice. */
import Ban from '@lucide/svelte/icons/ban';
import Undo from '@lucide/svelte/icons/undo-2';
import { m } from '$messages/messages';
import type { InvoiceView } from '../../../wire/InvoiceView';
import type { Deed } from '../Deeds.svelte';
import { isDue, refundable } from './words';

export type Doing = 'pay' | 'cancel' | 'refund';

/** Whether one is who pays it; what is read in a shop, the shop has sent. */
export function paysOf(invoice: InvoiceView, role: string | undefined): boolean {
  return invoice.mine && role === undefined;
}

/** What whoever has sent it can do about it now. Paying it has a page, where all of it is to be seen before. */
export function deedsOf(invoice: InvoiceView, role: string | undefined, begin: (doing: Doing) => void): Deed[] {
  if (paysOf(invoice, role)) return [];
  if (isDue(invoice)) return [{ label: m.invoice_cancel(), icon: Ban, seldom: true, run: () => begin('cancel') }];
  return refundable(invoice) > 0n ? [{ label: m.refund(), icon: Undo, seldom: true, run: () => begin('refund') }] : [];
}
