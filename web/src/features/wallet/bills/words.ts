import { m } from '$messages/messages';
import { decimalMark, plainDecimal } from '../../../state/money';
import type { InvoiceView } from '../../../wire/InvoiceView';
import type { Tone } from '../../../ui/Mark.svelte';

/** What can still go back of it. */
export function refundable(invoice: InvoiceView): bigint {
  return invoice.transfer === null ? 0n : BigInt(invoice.total) - BigInt(invoice.refunded);
}

export function isDue(invoice: InvoiceView): boolean {
  return invoice.state === 'open' || invoice.state === 'overdue';
}

/** How it stands, in a word. */
export function stateOf(invoice: InvoiceView): { text: string; tone: Tone } {
  if (invoice.refunded !== '0') return refundable(invoice) > 0n ? { text: m.line_refunded_part(), tone: 'warn' } : { text: m.line_refunded(), tone: 'warn' };
  switch (invoice.state) {
    case 'paid':
      return { text: m.sale_paid(), tone: 'accent' };
    case 'overdue':
      return { text: m.invoice_overdue(), tone: 'danger' };
    case 'open':
      return { text: m.sale_open(), tone: 'warn' };
    default:
      return { text: m.invoice_cancelled(), tone: 'plain' };
  }
}

/** `1.5`, `19`: a number of so many decimals, without zeroes at its end. */
export function plainNumber(value: string | number | bigint, scale: number, locale: string): string {
  const [whole = '', decimals = ''] = plainDecimal(BigInt(value), scale).split('.');
  const some = decimals.replace(/0+$/, '');
  return some ? whole + decimalMark(locale) + some : whole;
}

/** `19%`. */
export function taxText(rate: number | bigint, locale: string): string {
  return m.invoice_percent({ rate: plainNumber(rate, 1, locale) });
}
