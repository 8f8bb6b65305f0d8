/** What may be paid of an asset at once and in a day, as far as it is known before the node says it. */
import { m } from '$messages/messages';
import { formatAmount } from '../../state/money';
import { wallet } from '../../state/wallet.svelte';
import type { AssetView } from '../../wire/AssetView';

/** The most that one payment may be, in minor units, and why. */
export interface Most {
  amount: bigint;
  by: 'payment' | 'day';
}

/** None: there is no bound, or only the server that issues it knows one. `daily`: it is known who pays, and that what they pay in a day is counted. */
export function mostOf(asset: string, daily = true): Most | null {
  const issued = wallet.assets.find((one) => one.asset.id === asset);
  if (!issued) return null;
  const [payment, day] = [BigInt(issued.payment_max), BigInt(daily ? issued.day_max : 0)];
  if (day > 0n && (payment === 0n || day < payment)) return { amount: day, by: 'day' };
  return payment > 0n ? { amount: payment, by: 'payment' } : null;
}

/** What is wrong with so much; none: nothing. */
export function overMost(minor: bigint, most: Most | null | undefined, asset: AssetView, locale: string): string | undefined {
  if (!most || minor <= most.amount) return undefined;
  const amount = formatAmount(most.amount, asset, locale);
  return most.by === 'day' ? m.amount_over_day({ amount }) : m.amount_over_payment({ amount });
}
