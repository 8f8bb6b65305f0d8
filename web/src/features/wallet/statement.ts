import { plainDecimal, type Unit } from '../../state/money';
import type { HistoryLineView } from '../../wire/HistoryLineView';
import type { HistoryView } from '../../wire/HistoryView';
import { effect, place, when } from './history';

/** An account over a time: what was on it before, what happened, what was on it then. */
export interface Statement {
  from: number;
  /** The first moment after it. */
  to: number;
  opening: bigint;
  closing: bigint;
  credit: bigint;
  debit: bigint;
  /** The oldest first; each with the balance after it. */
  lines: { line: HistoryLineView; balance: bigint }[];
}

export class Unsettled extends Error {}

interface Source {
  /** What is on the account now, in minor units. */
  balance: () => Promise<bigint>;
  page: (before: number | null) => Promise<HistoryView>;
  /** So many lines were read. */
  onprogress?: (count: number) => void;
  signal?: AbortSignal;
}

/** So often it is begun anew when money moves while it is read. */
const TRIES = 4;

/** Reads it from the node, from now back to its beginning: the balance of today less all that happened since. */
export async function readStatement(source: Source, from: number, to: number): Promise<Statement> {
  for (let again = 0; again < TRIES; again += 1) {
    const before = await source.balance();
    const lines = await readBack(source, from);
    // The same balance may be the sum of several changes: then one of the lines that were read is not as it was.
    const oldest = lines.findLast((line) => line.state === 'held') ?? lines[0];
    const after = await readBack(source, oldest ? when(oldest) : from);
    const same = after.every((line, index) => line.number === lines[index]?.number && line.state === lines[index]?.state);
    if (same && (await source.balance()) === before) return close(lines, before, from, to);
  }
  throw new Unsettled('money moved all the time');
}

async function readBack({ page, onprogress, signal }: Source, from: number): Promise<HistoryLineView[]> {
  const lines: HistoryLineView[] = [];
  for (let before: number | null = null; ; ) {
    signal?.throwIfAborted();
    const { lines: some, more }: HistoryView = await page(before);
    for (const line of some) {
      if (when(line) < from) return lines;
      lines.push(line);
    }
    onprogress?.(lines.length);
    const last = some.at(-1);
    if (!more || !last) return lines;
    before = place(last);
  }
}

/** `lines`: the newest first, all that count from `from` to now; `now`: the balance after the last of them. */
export function close(lines: readonly HistoryLineView[], now: bigint, from: number, to: number): Statement {
  const moved = (some: readonly HistoryLineView[]): bigint => some.reduce((sum, line) => sum + effect(line), 0n);
  const inside = lines.filter((line) => when(line) >= from && when(line) < to).sort((a, b) => when(a) - when(b) || place(a) - place(b));
  const closing = now - moved(lines.filter((line) => when(line) >= to));
  const opening = closing - moved(inside);
  let balance = opening;
  const statement: Statement = { from, to, opening, closing, credit: 0n, debit: 0n, lines: [] };
  for (const line of inside) {
    const change = effect(line);
    balance += change;
    if (change > 0n) statement.credit += change;
    else statement.debit -= change;
    statement.lines.push({ line, balance });
  }
  return statement;
}

const HEAD = ['date', 'number', 'transfer', 'purpose', 'counterparty', 'amount', 'asset', 'state', 'balance', 'note'];

/** What others wrote is no formula of a spreadsheet. */
export const noFormula = (text: string): string => (/^[=+\-@\t\r＝＋－＠]/.test(text) ? `'${text}` : text);

/**
 * What the books themselves say of a line besides. What people wrote to one another when they paid is no part of them: the server cannot
 * read it, and it stands in the chat.
 */
function note(line: HistoryLineView): string {
  const { shop, refunds, fee_of, packet, exchange } = line;
  const got = exchange && `${line.credit ? 'paid as' : 'got as'} ${plainDecimal(BigInt(exchange.amount), exchange.asset.scale)} ${exchange.asset.code}`;
  const facts = [shop, refunds && `refund of ${refunds}`, fee_of && `fee of ${fee_of}`, packet && packet !== line.transfer && `packet ${packet}`, got];
  return noFormula(facts.filter(Boolean).join('; '));
}

/** One field as RFC 4180 writes it. */
export function field(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** RFC 4180. Times are UTC, amounts have a dot; only lines whose state is `done` have changed the balance. */
export function toCsv(statement: Statement, asset: Unit): string {
  const decimal = (minor: bigint): string => plainDecimal(minor, asset.scale);
  const iso = (ms: number): string => new Date(ms).toISOString();
  const edge = (what: string, ms: number, balance: bigint): string[] => [iso(ms), '', '', what, '', '', asset.code, '', decimal(balance), ''];
  const rows = statement.lines.map(({ line, balance }) => [
    iso(when(line)),
    String(line.number),
    line.transfer,
    line.purpose,
    noFormula(line.other?.user ?? ''),
    decimal(line.credit ? BigInt(line.amount) : -BigInt(line.amount)),
    asset.code,
    line.state,
    decimal(balance),
    note(line),
  ]);
  const all = [HEAD, edge('opening balance', statement.from, statement.opening), ...rows, edge('closing balance', statement.to, statement.closing)];
  return all.map((row) => `${row.map(field).join(',')}\r\n`).join('');
}

/** `weft-EUR-2026-01-01-2026-01-31`, before the dot. */
export function fileName(statement: Statement, code: string): string {
  return `weft-${code}-${dayText(statement.from)}-${dayText(statement.to - 1)}`;
}

/** `2026-01-31`, where the person is: as a field for dates has it. */
export function dayText(ms: number): string {
  const date = new Date(ms);
  const two = (part: number): string => String(part).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** The first moment of a day, where the person is; `after`: of so many days later. None: it is no day. */
export function dayStart(text: string, after = 0): number | null {
  const [year, month, day] = text.split('-').map(Number);
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || !year || !month || !day) return null;
  return new Date(year, month - 1, day + after).getTime();
}
