import { m } from '$messages/messages';
import type { AssetView } from '../../../wire/AssetView';
import type { SaleView } from '../../../wire/SaleView';
import type { Tone } from '../../../ui/Mark.svelte';

/** What a sale has brought in, its tip with it. */
export function takenBy(sale: SaleView): bigint {
  return sale.paid ? BigInt(sale.amount) + BigInt(sale.paid.tip) : 0n;
}

/** What can still go back of it. */
export function refundableOf(sale: SaleView): bigint {
  return sale.paid ? takenBy(sale) - BigInt(sale.paid.refunded) : 0n;
}

/** How it stands, in a word. */
export function saleState(sale: SaleView): { text: string; tone: Tone } {
  if (sale.paid && BigInt(sale.paid.refunded) > 0n) return refundableOf(sale) > 0n ? { text: m.line_refunded_part(), tone: 'warn' } : { text: m.line_refunded(), tone: 'warn' };
  switch (sale.state) {
    case 'paid':
      return { text: m.sale_paid(), tone: 'accent' };
    case 'open':
      return { text: m.sale_open(), tone: 'warn' };
    case 'cancelled':
      return { text: m.sale_cancelled(), tone: 'plain' };
    default:
      return { text: m.sale_expired(), tone: 'plain' };
  }
}

export function saleKind(kind: string): string {
  return kind === 'static' ? m.sale_kind_sign() : kind === 'code' ? m.sale_kind_code() : m.sale_kind_bill();
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** The first moment of the day, where the till is: of its place the device knows more than the node. What time it is, the node says. */
export function dayStartOf(ms: number): number {
  return new Date(ms).setHours(0, 0, 0, 0);
}

/** When it counts: when it was paid, or was made. */
export function saleTime(sale: SaleView): number {
  return sale.paid?.time_ms ?? sale.time_ms;
}

export interface DayTotal {
  asset: AssetView;
  /** Sales that were paid. */
  count: number;
  taken: bigint;
  tips: bigint;
  refunded: bigint;
}

/** What was paid since, by asset; a refund counts with its sale. */
export function totals(sales: readonly SaleView[], since: number): DayTotal[] {
  const by = new Map<string, DayTotal>();
  for (const sale of sales) {
    if (!sale.paid || saleTime(sale) < since) continue;
    const had = by.get(sale.asset.id) ?? { asset: sale.asset, count: 0, taken: 0n, tips: 0n, refunded: 0n };
    by.set(sale.asset.id, { ...had, count: had.count + 1, taken: had.taken + takenBy(sale), tips: had.tips + BigInt(sale.paid.tip), refunded: had.refunded + BigInt(sale.paid.refunded) });
  }
  return [...by.values()];
}

/** Whether this role may give something of it back: whoever only works at the till, for a day. */
export function mayRefund(sale: SaleView, role: string, now: number): boolean {
  // What another server's money was given for has no rate at which it could go back.
  return refundableOf(sale) > 0n && !sale.paid?.at_rate && (role !== 'cashier' || now - saleTime(sale) < DAY_MS);
}
