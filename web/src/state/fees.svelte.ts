import type { FeesEarnedView } from '../wire/FeesEarnedView';
import { engine } from './engine';
import { wallet } from './wallet.svelte';

/** For what a fee is taken: payments to people here, in shops and for invoices, to people of other servers, out over a bank. */
export type FeeKind = 'person' | 'shop' | 'remote' | 'out';
export const FEE_KINDS: readonly FeeKind[] = ['person', 'shop', 'remote', 'out'];

/** A payment for which a fee may be due. */
export interface Charged {
  kind: FeeKind;
  /** Asset id. */
  asset: string;
}

/** What the node takes now beside so much. Whoever has asked shows it: a payment of this sum may cost so much from then on. */
export async function askFee({ kind, asset }: Charged, amount: string): Promise<bigint> {
  return BigInt(await engine().call({ call: 'fee', kind, asset, amount }));
}

export async function setFee({ kind, asset }: Charged, fee: [fixed: string, points: string, least: string, most: string]): Promise<void> {
  await engine().call({ call: 'set_fee', kind, asset, fee });
  await wallet.load();
}

export function feesEarned(asset: string): Promise<FeesEarnedView> {
  return engine().call({ call: 'fees_earned', asset });
}

/** `id` stays the same until the node has said no. */
export async function takeFees(id: string, user: string, asset: string, amount: string): Promise<void> {
  await engine().call({ call: 'take_fees', id, user, asset, amount });
}
