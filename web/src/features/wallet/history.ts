import { m } from '$messages/messages';
import type { HistoryLineView } from '../../wire/HistoryLineView';

/** What a line is about, as one looks for it. */
export type Kind = 'person' | 'shop' | 'packet' | 'refund' | 'node';
export interface Wanted {
  way: 'all' | 'in' | 'out';
  kind: Kind | 'all';
}

/** Lines of one month, the newest first. */
export interface Month {
  /** Its first moment, ms; names it. */
  start: number;
  lines: HistoryLineView[];
  /** What came and went, in minor units; only what was settled counts. */
  credit: bigint;
  debit: bigint;
  /** All its lines are here: what came before it is known as well, or there is nothing. */
  whole: boolean;
}

const OF_NODE = ['issue', 'redeem', 'top_up', 'withdrawal', 'cash_in', 'cash_out', 'settlement', 'correction', 'fee'];

/** The ledger calls it `from a red packet`, and may call it `packet_claim`. */
function purposeKey(purpose: string): string {
  const key = purpose.replace(/[ -]/g, '_');
  return { red_packet: 'packet_fund', from_a_red_packet: 'packet_claim', back_from_a_red_packet: 'packet_return' }[key] ?? key;
}

export function kindOf(line: HistoryLineView): Kind {
  const key = purposeKey(line.purpose);
  if (line.packet !== null || key.startsWith('packet_')) return 'packet';
  if (line.refunds !== null || key === 'refund') return 'refund';
  if (line.shop !== null) return 'shop';
  return line.other === null || OF_NODE.includes(key) ? 'node' : 'person';
}

export function purposeText(purpose: string): string {
  const texts: Record<string, () => string> = {
    transfer: m.purpose_transfer,
    payment: m.purpose_payment,
    tip: m.purpose_tip,
    fee: m.purpose_fee,
    refund: m.purpose_refund,
    issue: m.purpose_issue,
    redeem: m.purpose_redeem,
    escrow_fund: m.purpose_escrow_fund,
    escrow_release: m.purpose_escrow_release,
    escrow_return: m.purpose_escrow_return,
    collection: m.purpose_collection,
    packet_fund: m.purpose_packet_fund,
    packet_claim: m.purpose_packet_claim,
    packet_return: m.purpose_packet_return,
    top_up: m.purpose_top_up,
    withdrawal: m.purpose_withdrawal,
    cash_in: m.purpose_cash_in,
    cash_out: m.purpose_cash_out,
    settlement: m.purpose_settlement,
    correction: m.purpose_correction,
  };
  return texts[purposeKey(purpose)]?.() ?? purpose;
}

/** Who stands on the other side: a shop by its title; none: the node, or a red packet. */
export function otherName(line: HistoryLineView): string | null {
  return line.shop ?? line.other?.name ?? null;
}

/** Whose payment a fee is of, if that is among the lines. */
export function ofWhom(line: HistoryLineView, lines: readonly HistoryLineView[]): string | null {
  const paid = line.fee_of ? lines.find((one) => one.transfer === line.fee_of) : undefined;
  return paid ? otherName(paid) : null;
}

/** What is to be said of how it stands; none: it is done, as one expects. */
export function stateText(line: HistoryLineView): string | null {
  switch (line.state) {
    case 'held':
      return line.credit ? m.line_waits_for_you() : m.line_waits();
    case 'returned':
      return m.line_returned();
    case 'expired':
      return m.line_expired();
    default:
      if (BigInt(line.refunded) === 0n) return null;
      return BigInt(line.refunded) < BigInt(line.amount) ? m.line_refunded_part() : m.line_refunded();
  }
}

/** Whether it has moved money for good; what waits, or came back, has not. */
export function isSettled(line: HistoryLineView): boolean {
  return line.state === 'done';
}

/** When a line counts: when the money went over. */
export function when(line: HistoryLineView): number {
  return line.settled_ms ?? line.time_ms;
}

/** Where a line stands in the history, which is in this order: pages begin before one. */
export function place(line: HistoryLineView): number {
  return line.settled_by ?? line.number;
}

/** What it does to the balance. */
export function effect(line: HistoryLineView): bigint {
  if (!isSettled(line)) return 0n;
  return line.credit ? BigInt(line.amount) : -BigInt(line.amount);
}

/** What can still be given back of it, to whoever paid it. */
export function refundable(line: HistoryLineView): bigint {
  // What came back out of escrow is nobody else's; what was exchanged has no way back at the rate of then.
  const paid = line.credit && isSettled(line) && line.other !== null && kindOf(line) === 'person' && !line.exchange && purposeKey(line.purpose) !== 'escrow_return';
  return paid ? BigInt(line.amount) - BigInt(line.refunded) : 0n;
}

export function wants(line: HistoryLineView, { way, kind }: Wanted): boolean {
  return (way === 'all' || (way === 'in') === line.credit) && (kind === 'all' || kindOf(line) === kind);
}

/** The first moment of the month, where the person is; `back`: so many months before. */
export function monthStart(ms: number, back = 0): number {
  const date = new Date(ms);
  return new Date(date.getFullYear(), date.getMonth() - back, 1).getTime();
}

/**
 * By month, the newest first. `more`: there are older lines than these. A line stands in the month in which it counts, as in a
 * statement: what was sent in January and accepted in February is the last of February, so that a month's sum is that of the lines
 * below it. Within a month they are in the order in which the node gives them.
 */
export function byMonth(lines: readonly HistoryLineView[], more: boolean): Month[] {
  const months = new Map<number, Month>();
  for (const line of lines) {
    const start = monthStart(when(line));
    let month = months.get(start);
    if (!month) months.set(start, (month = { start, lines: [], credit: 0n, debit: 0n, whole: true }));
    month.lines.push(line);
    const moved = effect(line);
    if (moved > 0n) month.credit += moved;
    else month.debit -= moved;
  }
  const oldest = lines.at(-1);
  if (oldest && more) for (const month of months.values()) month.whole = month.start > when(oldest);
  return [...months.values()].sort((a, b) => b.start - a.start);
}

/** What came and went in each of the last months, the oldest first; also in those without a line. */
export function lastMonths(lines: readonly HistoryLineView[], now: number, count = 12): Pick<Month, 'start' | 'credit' | 'debit'>[] {
  const months = Array.from({ length: count }, (_, index) => ({ start: monthStart(now, count - 1 - index), credit: 0n, debit: 0n }));
  const by = new Map(months.map((month) => [month.start, month]));
  for (const line of lines) {
    const month = by.get(monthStart(when(line)));
    const moved = effect(line);
    if (month && moved > 0n) month.credit += moved;
    else if (month) month.debit -= moved;
  }
  return months;
}
