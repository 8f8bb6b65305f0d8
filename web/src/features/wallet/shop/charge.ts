/** What goes wrong with a charge by a code, for whoever stands at the till: it is the customer's, and not theirs. */
import { m } from '$messages/messages';
import { errorCode } from '../../../state/errors';
import { moneyCodeText, moneyError } from '../../../state/money-errors';

const texts: Record<string, () => string> = {
  already_paid: m.till_code_used,
  insufficient_funds: m.till_customer_short,
  account_frozen: m.till_customer_stopped,
  payment_limit: m.till_customer_limit,
  no_link: m.till_customer_no_link,
  link_limit: m.till_customer_link_limit,
  rate_changed: m.till_customer_rate,
  other_node: m.till_customer_old,
  payment_refused: m.till_customer_refused,
};

/** Why the customer's server, another one, has refused it. */
export function refusedText(code: string): string {
  return (texts[code] ?? (() => moneyCodeText(code) ?? m.till_customer_refused()))();
}

/** For `Task.run`. */
export function chargeError(error: unknown): string | null {
  return texts[errorCode(error) ?? '']?.() ?? moneyError(error);
}
