import { plainDecimal, type Unit } from '../../state/money';
import type { HistoryLineView } from '../../wire/HistoryLineView';
import { otherName, when } from './history';
import type { Statement } from './statement';

/** What hledger would take for the end of a description, or for the end of a line. */
function plain(text: string): string {
  return text.replace(/[;|\p{Cc}\p{Zl}\p{Zp}]/gu, ' ').replace(/\s+/g, ' ').trim();
}

/** The other side: whoever that is, by address, so that nobody's title makes an account; else the node, by what it was for. */
function across(line: HistoryLineView): string {
  const who = line.other?.user ?? `node:${plain(line.purpose).replace(/[^a-z]+/gi, '_')}`;
  return line.other ? `${line.credit ? 'income' : 'expenses'}:weft:${who}` : `equity:weft:${who}`;
}

/**
 * A statement as a journal of hledger. Days are those of UTC. Each entry asserts the balance after it, so that hledger itself finds a line
 * that is missing or was changed; what has not moved any money stands there as a comment.
 */
export function toJournal(statement: Statement, asset: Unit): string {
  const commodity = /^[A-Z]+$/.test(asset.code) ? asset.code : `"${asset.code}"`;
  const own = `assets:weft:${asset.code}`;
  const sum = (minor: bigint): string => `${plainDecimal(minor, asset.scale)} ${commodity}`;
  const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
  const entry = (head: string, change: bigint, balance: bigint, other: string): string => `${head}\n    ${own}  ${sum(change)} = ${sum(balance)}\n    ${other}  ${sum(-change)}\n`;
  const parts = [
    `commodity 1000.${'0'.repeat(asset.scale)} ${commodity}\n`,
    entry(`${day(statement.from)} * opening balance`, statement.opening, statement.opening, 'equity:opening balances'),
    ...statement.lines.map(({ line, balance }) => {
      const change = line.credit ? BigInt(line.amount) : -BigInt(line.amount);
      const said = plain([otherName(line) ?? '', plain(line.purpose)].filter(Boolean).join(' · '));
      const tags = `; time:${new Date(when(line)).toISOString()}, transfer:${line.transfer}`;
      const head = `${day(when(line))} * (${line.number}) ${said}  ${tags}`;
      return line.state === 'done' ? entry(head, change, balance, across(line)) : `; ${line.state}: ${sum(change)} ${head}\n`;
    }),
    entry(`${day(statement.to - 1)} * closing balance`, 0n, statement.closing, 'equity:opening balances'),
  ];
  return parts.join('\n');
}
