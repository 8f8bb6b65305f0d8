import { m } from '$messages/messages';
import { errorCode } from '../../../state/errors';
import { moneyError } from '../../../state/money-errors';
import type { ScannedShop } from '../../../wire/ScannedShop';

/** Digits of a payer's code (wire/paycode.rs), the first one a nine. */
const DIGITS = 20;

/** `9123 4567 …`: as one reads it out. */
export function grouped(digits: string): string {
  return digits.replace(/(.{4})(?=.)/g, '$1 ');
}

/** What was typed as the digits of a code; none: it is not that yet. */
export function digitsOf(text: string): string | null {
  const digits = text.normalize('NFKC').replace(/[\s-]/g, '');
  return digits.length === DIGITS && /^9\d+$/.test(digits) ? digits : null;
}

/** What was read is nothing that leads anywhere. */
export class NoCode extends Error {}

/** For `Task.run`: why a code leads nowhere, a sentence for each way in which it can be wrong. */
export function codeError(error: unknown): string | null {
  if (error instanceof NoCode) return m.error_code_unread();
  switch (errorCode(error)) {
    case 'not_found':
      return m.error_code_no_shop();
    case 'bad_input':
    case 'invalid_field':
      return m.error_code_unread();
    default:
      return moneyError(error);
  }
}

/** Why what was scanned cannot be paid; none: it can. */
export function hindrance(shop: ScannedShop, now: number): { title: string; text: string } | null {
  if (shop.state === 'paid') return { title: m.pay_shop_paid_title(), text: m.pay_shop_paid() };
  if (shop.state === 'cancelled') return { title: m.pay_shop_cancelled_title(), text: m.pay_shop_cancelled() };
  if (shop.expired || shop.state === 'expired' || (shop.until_ms !== null && shop.until_ms <= now)) return { title: m.pay_shop_expired_title(), text: m.pay_shop_expired() };
  // Its money is none that this node knows.
  if (shop.sale !== null && shop.amount === null) return { title: m.pay_shop_other_title(), text: m.error_code_foreign() };
  return shop.open ? null : { title: m.pay_shop_closed_title(), text: m.error_shop_closed() };
}
