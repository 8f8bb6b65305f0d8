/** What can be done about something that is collected again and again. */
import Ban from '@lucide/svelte/icons/ban';
import { m } from '$messages/messages';
import type { MandateView } from '../../../wire/MandateView';
import type { Deed } from '../Deeds.svelte';

export type Doing = 'end' | 'collect';

/** Whether one is who pays; what is read in a shop, the shop collects. */
export function paysOf(mandate: MandateView, role: string | undefined): boolean {
  return mandate.mine && role === undefined;
}

/** What can be done about it now. `role`: what one may do in the shop where it is read. */
export function deedsOf(mandate: MandateView, role: string | undefined, begin: (doing: Doing) => void): Deed[] {
  if (mandate.state !== 'live' || role === 'cashier') return [];
  const pays = paysOf(mandate, role);
  const collect: Deed[] = !pays && !mandate.standing && mandate.due && mandate.next !== null ? [{ label: m.mandate_collect(), tone: 'accent', run: () => begin('collect') }] : [];
  return [...collect, { label: pays ? m.mandate_end() : m.mandate_give_up(), icon: Ban, seldom: true, run: () => begin('end') }];
}
