import { m } from '$messages/messages';
import { CallFailed } from '../engine/calls';

/** What calls about money fail for, in words; a part of the pages of money, which are loaded when they are opened. */
const texts: Record<string, () => string> = {
  insufficient_funds: m.error_insufficient_funds,
  payment_limit: m.error_payment_limit,
  fee_too_low: m.error_fee_too_low,
  account_frozen: m.error_account_frozen,
  order_stale: m.error_order_stale,
  already_decided: m.error_already_decided,
  packet_empty: m.error_packet_empty,
  packet_over: m.error_packet_over,
  payment_refused: m.error_payment_refused,
  payment_unsure: m.error_payment_unsure,
  id_conflict: m.error_id_conflict,
  already_paid: m.error_already_paid,
  no_pin: m.error_no_pin,
  wrong_pin: m.error_wrong_pin,
  wrong_passkey: m.error_wrong_passkey,
  sale_over: m.error_sale_over,
  invoice_cancelled: m.error_invoice_cancelled,
  mandate_over: m.error_mandate_over,
  not_due: m.error_not_due,
  shop_closed: m.error_shop_closed,
  code_invalid: m.error_code_invalid,
  code_limit: m.error_code_limit,
  other_node: m.error_other_node,
  no_link: m.error_no_link,
  link_frozen: m.error_link_frozen,
  link_limit: m.error_link_limit,
  needs_approval: m.error_needs_approval,
  own_proposal: m.error_own_proposal,
  not_approver: m.error_not_approver,
  proposal_over: m.error_proposal_over,
  proposal_changed: m.error_proposal_changed,
  agent_limit: m.error_agent_limit,
  cash_nobody: m.cash_nobody,
  rate_changed: m.error_rate_changed,
  node_key_changed: m.error_node_key_changed,
  charge_unsure: m.error_charge_unsure,
  code_damaged: m.error_code_damaged,
  code_forged: m.error_code_forged,
  code_foreign: m.error_code_foreign,
};

/** `1:05`, `12:00`: how long there is to wait, in ms. */
export function waitText(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** What the node says of this one error, in English: in which line of a file it is, say. */
export function detailOf(error: unknown): string {
  return error instanceof CallFailed ? (/\((.*)\)$/s.exec(error.message)?.[1] ?? error.message) : '';
}

/** A code that the node has kept: why something was refused earlier. */
export function moneyCodeText(code: string): string | null {
  return texts[code]?.() ?? null;
}

/** For `Task.run`: one sentence; none: the usual words do. */
export function moneyError(error: unknown): string | null {
  if (!(error instanceof CallFailed)) return null;
  if (error.code === 'pin_locked') return m.error_pin_locked({ time: waitText(error.retryAfterMs ?? 0) });
  return texts[error.code]?.() ?? null;
}
