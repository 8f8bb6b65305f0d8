import { m } from '$messages/messages';
import { session } from '../../../state/session.svelte';
import { decimalMark, plainDecimal } from '../../../state/money';
import type { InvoiceView } from '../../../wire/InvoiceView';
import { nameOf, nodeOf } from '../../../ui/address';
import type { Tone } from '../../../ui/Mark.svelte';

/** Whether somebody, or a shop, is of another server. */
export function isFar(user: string): boolean {
  return nodeOf(user) !== nodeOf(session.me?.user ?? '');
}

/** What stands for an issuer in addresses of pages: the name, of another server with that. */
export function issuerOf(user: string): string {
  return isFar(user) ? user : nameOf(user);
}

/** Why the payment of an invoice came back from another server. */
export function backText(rejection: string): string {
  switch (rejection) {
    case 'paid':
      return m.pay_shop_back_paid();
    case 'over':
      return m.invoice_back_over();
    case 'asked':
      return m.invoice_back_asked();
    case 'rate':
      return m.pay_shop_back_rate();
    case 'expired':
      return m.invoice_back_expired();
    case 'closed':
      return m.pay_shop_back_closed();
    default:
      return m.invoice_back_other();
  }
}

/** What can still go back of it. */
export function refundable(invoice: InvoiceView): bigint {
  return invoice.transfer === null || invoice.at_rate ? 0n : BigInt(invoice.total) - BigInt(invoice.refunded);
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
    case 'paying':
      return { text: m.pay_shop_underway(), tone: 'warn' };
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
