import type { AccountView } from '../wire/AccountView';
import { engine } from './engine';
import { wallet } from './wallet.svelte';

/** For what a fee is taken: payments to people here, in shops and for invoices, to people and shops of other servers, out over a bank. */
export type FeeKind = 'person' | 'shop' | 'remote' | 'out';
export const FEE_KINDS: readonly FeeKind[] = ['person', 'shop', 'remote', 'out'];

/** What is taken for payments of a kind, in minor units; the share in basis points (1/100 %). */
export interface Fee {
  fixed: string;
  points: string;
  least: string;
  /** `0`: no bound. Never more than the amount. */
  most: string;
}

/** A payment for which a fee may be due. */
export interface Charged {
  /** `code`: by a code for a till, of this server or another. */
  kind: FeeKind | 'code';
  /** Asset id. */
  asset: string;
}

/** What the node takes now beside so much. Whoever has asked shows it: a payment of this sum may cost so much from then on. */
export async function askFee({ kind, asset }: Charged, amount: string): Promise<bigint> {
  return BigInt(await engine().call({ call: 'fee', kind, asset, amount }));
}

export async function setFee({ kind, asset }: Charged & { kind: FeeKind }, { fixed, points, least, most }: Fee): Promise<void> {
  await engine().call({ call: 'set_fee', kind, asset, fee: [fixed, points, least, most] });
  await wallet.load();
}

/** The account of what was earned. */
export function feesEarned(asset: string): Promise<AccountView> {
  return engine().call({ call: 'fees_earned', asset });
}

/** `id` stays the same until the node has said no. */
export async function takeFees(id: string, user: string, asset: string, amount: string): Promise<void> {
  await engine().call({ call: 'take_fees', id, user, asset, amount });
}
